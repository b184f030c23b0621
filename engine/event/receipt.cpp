#include "engine/event/receipt.hpp"

#include "engine/core/json_members.hpp"
#include "engine/core/text.hpp"
#include "engine/event/document_fields.hpp"
#include "engine/event/event_parser.hpp"
#include "engine/event/json_document.hpp"
#include "engine/event/refusal_codes.hpp"
#include "engine/event/words.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace tocsin {
namespace {

namespace json = boost::json;

parsed<> read_event_id(const json::object& document, receipt& out) {
    out.event = text_at(document, "event");
    if (out.event.empty() || out.event.size() > event_limits::max_id || !is_word(out.event, "._:-")) {
        return refuse(
            refusal_code::invalid_id,
            "event must be the id of one, 1 to 128 of A-Z a-z 0-9 . _ : -, not " + in_quotes(out.event));
    }
    return {};
}

parsed<> read_kind(const json::object& document, receipt& out) {
    const std::string_view word = text_at(document, "kind");
    const auto found = std::ranges::find(receipt_kind_names, word);
    if (found == receipt_kind_names.end()) {
        return refuse(
            refusal_code::invalid_kind, "kind must be received, displayed or opened, not " + in_quotes(word) +
                                            suggestion(word, receipt_kind_names));
    }
    out.kind = static_cast<receipt_kind>(found - receipt_kind_names.begin());
    return {};
}

parsed<> read_batch(const json::object& document, receipt& out) {
    out.batch = text_at(document, "batch");
    const auto characters = std::ranges::count_if(
        out.batch, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
    if (characters < 1 || static_cast<std::size_t>(characters) > max_batch) {
        return refuse(
            refusal_code::invalid_batch,
            "batch must have 1 to 128 characters, not " + std::to_string(characters));
    }
    const bool unprintable = std::ranges::any_of(out.batch, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
    if (unprintable) {
        return refuse(refusal_code::invalid_batch, "batch holds a control character");
    }
    return {};
}

parsed<> read_counts(const json::object& counts, receipt& out) {
    if (counts.empty()) {
        return refuse(refusal_code::empty_counts, "counts is empty: a receipt counts at least one device");
    }
    out.counts.reserve(counts.size());
    for (const auto& [json_key, value] : counts) {
        const std::string_view key(json_key.data(), json_key.size());
        const auto commune = parse_commune_id(key);
        const std::string path = join_path("counts", excerpt(key, longest_key_excerpt));
        if (!commune) {
            return refuse(
                refusal_code::invalid_commune,
                path + ": communes are named by their INSEE code, two digits (or 2A, 2B) and three digits");
        }
        if (!value.is_int64() && !value.is_uint64()) {
            return wrong_type(path, json_kind::integer, value);
        }
        const std::int64_t* const devices = value.if_int64();
        if (devices == nullptr || *devices < 1 || *devices > std::int64_t{max_count}) {
            return refuse(
                refusal_code::invalid_count,
                path + " must be 1 to 1000000 devices" +
                    (devices == nullptr ? std::string(", not more") : ", not " + std::to_string(*devices)));
        }
        out.counts.emplace_back(*commune, static_cast<std::uint32_t>(*devices));
    }
    return {};
}

}  // namespace

parsed<receipt> parse_receipt(std::string_view json) {
    const auto document = parse_document(json, document_limits{});
    if (!document) {
        return document.error();
    }
    if (auto fine = check_fields(*document, receipt_fields, ""); !fine) {
        return std::move(fine).error();
    }
    receipt out;
    out.app = text_at(*document, "app");
    if (auto fine = read_event_id(*document, out); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = check_app(out.app, "app"); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_kind(*document, out); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_batch(*document, out); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_counts(document->at("counts").get_object(), out); !fine) {
        return std::move(fine).error();
    }
    return out;
}

std::string to_json(const receipt& given) {
    json::object counts;
    for (const auto& [commune, devices] : given.counts) {
        counts.emplace(to_string(commune), devices);
    }
    return json::serialize(json::object{
        {"event", given.event},
        {"app", given.app},
        {"kind", to_string(given.kind)},
        {"batch", given.batch},
        {"counts", std::move(counts)}});
}

}  // namespace tocsin
