#include "tools/proof/certificate.hpp"

#include "engine/core/digest.hpp"
#include "engine/core/json_members.hpp"
#include "engine/core/plain_json.hpp"
#include "engine/core/visible_text.hpp"
#include "tools/proof/certificate_parts.hpp"
#include "tools/proof/french.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace tocsin::proof {
namespace {

namespace json = boost::json;

constexpr std::int64_t format_version = 1;
constexpr std::string_view stamp_begins = "<meta name=\"tocsin-certificate\" content=\"";
constexpr std::size_t first_receipt = static_cast<std::size_t>(measure::received);

/// The reverse of escaped(), for what escaped() wrote.
std::string unescaped(std::string_view text) {
    constexpr std::pair<std::string_view, char> entities[]{
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};
    std::string out;
    while (!text.empty()) {
        const auto* const found =
            std::ranges::find_if(entities, [&](const auto& one) { return text.starts_with(one.first); });
        const bool known = found != std::end(entities);
        out += known ? found->second : text.front();
        text.remove_prefix(known ? found->first.size() : 1);
    }
    return out;
}

std::optional<std::uint64_t> count_of(const json::value& value) {
    boost::system::error_code ec;
    const auto out = value.to_number<std::uint64_t>(ec);
    return ec ? std::nullopt : std::optional(out);
}

/// ["Dijon", 37, 20, null]
std::optional<certificate_stamp::commune_then> read_commune(const json::value& value) {
    const json::array* const parts = value.if_array();
    if (parts == nullptr || parts->size() != 4 || !parts->front().is_string()) {
        return std::nullopt;
    }
    certificate_stamp::commune_then out;
    out.name = parts->front().get_string();
    for (std::size_t i = 0; i < out.receipts.size(); ++i) {
        out.receipts[i] = count_of((*parts)[i + 1]);
        if (!out.receipts[i] && !(*parts)[i + 1].is_null()) {
            return std::nullopt;
        }
    }
    return out;
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto one = front_of(text);
        const std::string_view bytes = text.substr(0, one ? one->size : 1);
        text.remove_prefix(bytes.size());
        if (!one) {
            out += "\uFFFD";
        } else if (is_unprintable(one->value)) {
            out += one->value == U'\n' ? "\n" : one->value < 0x20 ? " " : "";
        } else if (bytes == "&") {
            out += "&amp;";
        } else if (bytes == "<") {
            out += "&lt;";
        } else if (bytes == ">") {
            out += "&gt;";
        } else if (bytes == "\"") {
            out += "&quot;";
        } else if (bytes == "'") {
            out += "&#39;";
        } else {
            out += bytes;
        }
    }
    return out;
}

certificate_stamp stamp_of(const certificate_subject& subject, wall_time as_of) {
    certificate_stamp out;
    out.as_of = std::chrono::floor<std::chrono::seconds>(as_of);
    for (const reach_row& row : subject.rows) {
        auto& then = out.communes[row.insee];
        then.name = row.name;
        std::ranges::copy_n(row.counts.begin() + first_receipt, 3, then.receipts.begin());
    }
    return out;
}

certificate_subject as_stamped(certificate_subject subject, const certificate_stamp& stamp) {
    for (reach_row& row : subject.rows) {
        const auto found = stamp.communes.find(row.insee);
        if (found == stamp.communes.end()) {
            continue;
        }
        row.name = found->second.name;
        for (std::size_t i = 0; i < found->second.receipts.size(); ++i) {
            auto& now = row.counts[first_receipt + i];
            if (now.has_value() == found->second.receipts[i].has_value() &&
                found->second.receipts[i] <= now) {
                now = found->second.receipts[i];
            }
        }
    }
    return subject;
}

std::string result_digest(const json::object& result) {
    return sha256_hex(canonical_json(result));
}

std::string stamp_tag(const certificate_stamp& stamp) {
    json::object communes;
    for (const auto& [insee, then] : stamp.communes) {
        json::array one{json::value(then.name)};
        for (const auto& count : then.receipts) {
            one.push_back(count ? json::value(*count) : json::value(nullptr));
        }
        communes[insee] = std::move(one);
    }
    const json::object document{
        {"version", format_version},
        {"as_of", stamp.as_of.time_since_epoch().count()},
        {"communes", std::move(communes)}};
    return std::string(stamp_begins) + escaped(canonical_json(document)) + "\">\n";
}

std::optional<certificate_stamp> stamp_in(std::string_view file) {
    const std::size_t begin = file.find(stamp_begins);
    if (begin == std::string_view::npos) {
        return std::nullopt;
    }
    file.remove_prefix(begin + stamp_begins.size());
    const std::size_t end = file.find('"');
    const auto document = parse_object(unescaped(file.substr(0, std::min(end, file.size()))));
    const auto as_of = document ? integer_at(*document, "as_of") : std::nullopt;
    if (!as_of || integer_at(*document, "version") != format_version || !document->contains("communes") ||
        !document->at("communes").is_object()) {
        return std::nullopt;
    }
    certificate_stamp out;
    // Beyond these years no date can be written.
    constexpr std::int64_t latest = 253'402'300'799'000;
    out.as_of = wall_time(std::chrono::milliseconds(std::clamp<std::int64_t>(*as_of, 0, latest)));
    for (const auto& [insee, value] : document->at("communes").get_object()) {
        auto then = read_commune(value);
        if (!then) {
            return std::nullopt;
        }
        out.communes.emplace(insee, std::move(*then));
    }
    return out;
}

std::vector<std::string> audience_in_french(
    const std::vector<selector>& audience, const territories& places) {
    std::vector<std::string> out;
    std::size_t devices = 0;
    const auto commune_name = [&](std::string_view code) {
        const auto id = parse_commune_id(code);
        const std::string_view name = id ? places.name(*id) : std::string_view();
        return name.empty() ? fmt::format("commune{}{}", french::wide, code)
                            : fmt::format("{}{}({})", french::place(name), french::wide, code);
    };
    for (const selector& one : audience) {
        switch (one.kind) {
            case selector_kind::everyone: out.emplace_back("toutes les communes"); break;
            case selector_kind::commune: out.push_back(commune_name(one.value)); break;
            case selector_kind::department:
                out.push_back(fmt::format("département{}{}", french::wide, one.value));
                break;
            case selector_kind::epci: {
                const auto id = parse_epci_id(one.value);
                const std::string_view name = id ? places.epci_name(*id) : std::string_view();
                out.push_back(
                    name.empty() ? fmt::format("intercommunalité{}{}", french::wide, one.value)
                                 : fmt::format("{}{}({})", french::place(name), french::wide, one.value));
                break;
            }
            case selector_kind::zone: {
                const std::size_t colon = std::min(one.value.find(':'), one.value.size());
                const std::string_view zone =
                    std::string_view(one.value).substr(std::min(colon + 1, one.value.size()));
                out.push_back(fmt::format(
                    "{}, zone «{}{}{}»", commune_name(std::string_view(one.value).substr(0, colon)),
                    french::wide, zone, french::wide));
                break;
            }
            case selector_kind::device: ++devices; break;
        }
    }
    if (devices != 0) {
        out.push_back(fmt::format(
            "{}{}appareil{} désigné{}", french::number(devices), french::wide, devices == 1 ? "" : "s",
            devices == 1 ? "" : "s"));
    }
    return out;
}

}  // namespace tocsin::proof
