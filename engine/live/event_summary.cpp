#include "engine/live/event_summary.hpp"

#include "engine/core/json_members.hpp"
#include "engine/core/log.hpp"
#include "engine/core/plain_json.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/plan/outcome.hpp"
#include "engine/plan/shard.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace tocsin {
namespace {

namespace json = boost::json;
namespace names = ledger_names;

constexpr std::size_t selectors_shown = 20;
constexpr std::size_t title_bytes = 200;

/// At most `most` bytes, never half a character.
std::string beginning_of(std::string text, std::size_t most) {
    if (text.size() <= most) {
        return text;
    }
    std::size_t end = most;
    while (end != 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    text.resize(end);
    return text + "…";
}

std::string title_of(const json::object& event) {
    const json::object& shown = part_at(event, "notification");
    std::string title(text_at(shown, text_at(shown, "title").empty() ? "body" : "title"));
    return beginning_of(std::move(title), title_bytes);
}

/// A selector as anybody may see it: a device's token is personal.
std::string shown_selector(std::string_view selector) {
    constexpr std::string_view device = "device:";
    if (!selector.starts_with(device)) {
        return std::string(selector);
    }
    const std::size_t colon = selector.find(':', device.size());
    const std::size_t token = colon == std::string_view::npos ? device.size() : colon + 1;
    return std::string(selector.substr(0, token)) + shorten_token(selector.substr(token));
}

std::vector<std::string> words_of(std::string_view list) {
    std::vector<std::string> out;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(';'), list.size());
        out.emplace_back(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return out;
}

json::value rounded(const std::optional<double>& value) {
    return value ? json::value(std::round(*value * 10) / 10) : json::value(nullptr);
}

void add_heading(json::object& to, const event_heading& heading) {
    to["title"] = heading.title;
    to["category"] = heading.category;
    to["priority"] = heading.priority;
    to["mode"] = heading.mode;
    to["audience"] = json::array(heading.audience.begin(), heading.audience.end());
    to["selectors"] = heading.selectors;
}

json::array curve_of(const histogram& latencies) {
    json::array out;
    std::uint64_t accepted = 0;
    for (std::size_t i = 0; i < latencies.counts().size(); ++i) {
        if (latencies.counts()[i] != 0) {
            accepted += latencies.counts()[i];
            out.push_back(json::array{log_linear::upper_bound(i), accepted});
        }
    }
    return out;
}

json::object departments_of(const event_report& report, const territories& places) {
    struct sums {
        std::uint64_t accepted = 0;
        std::uint64_t population = 0;
        std::uint64_t communes = 0;
    };
    std::map<std::string, sums> departments;
    for (const auto& [insee, accepted] : report.communes) {
        const auto id = parse_commune_id(insee);
        const commune* const found = id ? places.find(*id) : nullptr;
        if (found != nullptr) {
            sums& department = departments[to_string(found->department)];
            department.accepted += accepted;
            department.population += found->population;
            ++department.communes;
        }
    }
    json::object out;
    for (const auto& [code, all] : departments) {
        json::object one{
            {"accepted", all.accepted}, {"population", all.population}, {"communes", all.communes}};
        one["reach"] = all.population == 0
                           ? json::value(nullptr)
                           : json::value(shortened_share(
                                 static_cast<double>(all.accepted) / static_cast<double>(all.population)));
        out[code] = std::move(one);
    }
    return out;
}

void name_communes(json::object& communes, const territories& places) {
    for (auto& [insee, one] : communes) {
        const auto id = parse_commune_id(std::string_view(insee));
        const commune* const found = id ? places.find(*id) : nullptr;
        if (found != nullptr && one.is_object()) {
            one.get_object()["name"] = found->name;
            one.get_object()["department"] = to_string(found->department);
        }
    }
}

}  // namespace

event_heading read_heading(const ledger_fields& fields) {
    event_heading out;
    if (const auto targets = fields.find(names::targets); targets != fields.end()) {
        out.targets = words_of(targets->second);
    }
    const auto document = fields.find(names::document);
    if (document == fields.end()) {
        return out;
    }
    const auto event = parse_object(document->second);
    if (!event) {
        return out;
    }
    out.title = title_of(*event);
    out.category = text_at(*event, "category");
    out.priority = text_at(*event, "priority");
    if (out.priority.empty()) {
        out.priority = to_string(priority::normal);
    }
    out.mode = text_at(*event, "mode");
    if (out.mode.empty()) {
        out.mode = to_string(delivery_mode::actual);
    }
    const json::array& audience = list_at(*event, "audience");
    out.selectors = audience.size();
    for (const json::value& selector : audience) {
        if (out.audience.size() == selectors_shown) {
            break;
        }
        if (selector.is_string()) {
            out.audience.push_back(shown_selector(std::string_view(selector.get_string())));
        }
    }
    return out;
}

std::vector<std::string> moving_fields(const std::vector<std::string>& targets) {
    std::vector<std::string> out{
        std::string(names::state),
        std::string(names::accepted_at),
        std::string(names::started_at),
        std::string(names::targeted),
        std::string(names::retries),
        std::string(names::possible_duplicates),
        std::string(names::pages_planned),
        std::string(names::pages_settled),
        std::string(names::poison),
        std::string(names::deferred),
        "parked"};
    for (const std::string& word : targets) {
        if (const auto which = parse_target(word)) {
            for (std::size_t i = 0; i < outcome_count; ++i) {
                out.push_back(names::outcome_field(*which, static_cast<outcome>(i)));
            }
        }
    }
    return out;
}

json::object summary_of(
    const event_heading& heading, const event_report& report, const event_pace* pace, wall_time now) {
    json::object out{{"event", report.event}, {"state", to_string(report.state)}};
    add_heading(out, heading);
    out["targeted"] = report.targeted;
    for (std::size_t i = 0; i < outcome_count; ++i) {
        out[outcome_names[i]] = report.outcomes[i];
    }
    out["waiting_for_retry"] = report.parked;
    out["retries"] = report.retries;
    out["possible_duplicates"] = report.possible_duplicates;
    out["accepted_at"] = report.accepted_at == 0 ? json::value(nullptr) : json::value(report.accepted_at);
    out["started_at"] = report.started_at == 0 ? json::value(nullptr) : json::value(report.started_at);
    out["finished_at"] = report.finished_at == 0 ? json::value(nullptr) : json::value(report.finished_at);
    const bool over = report.finished_at != 0;
    const double progress = report.pages_planned == 0 ? 0
                                                      : static_cast<double>(report.pages_settled) /
                                                            static_cast<double>(report.pages_planned);
    out["progress"] = over ? 1.0 : std::round(std::min(progress, 1.0) * 1'000) / 1'000;
    out["rate"] = pace == nullptr || over ? 0.0 : std::round(pace->accepted_per_second() * 10) / 10;
    const std::vector<deferral> held = still_deferred(report, now);
    auto left = pace == nullptr || over ? std::nullopt : pace->seconds_left(report.pages_planned);
    if (!held.empty()) {
        left = std::max(left.value_or(0), std::chrono::duration<double>(held.back().until - now).count());
    }
    out["eta_seconds"] = rounded(left);
    out["deferred"] = deferrals_array(held);
    return out;
}

json::object summary_of(const event_heading& heading, const json::object& result) {
    json::object out;
    // Nothing of it that grows with the audience: the event's own page has that.
    for (const auto& [name, value] : result) {
        if (!value.is_object() && !value.is_array()) {
            out[name] = value;
        }
    }
    add_heading(out, heading);
    out["progress"] = 1.0;
    out["rate"] = 0.0;
    out["eta_seconds"] = nullptr;
    out["deferred"] = json::array();
    return out;
}

json::object event_detail(
    const event_heading& heading, const event_report& report, const territories& places,
    const json::value* result, wall_time now, bool with_communes) {
    json::object out =
        result != nullptr && result->is_object() ? result->get_object() : result_document(report, places);
    add_heading(out, heading);
    const bool over = out.contains("finished_at") && !out.at("finished_at").is_null();
    const double progress = report.pages_planned == 0 ? 0
                                                      : static_cast<double>(report.pages_settled) /
                                                            static_cast<double>(report.pages_planned);
    out["progress"] = over ? 1.0 : std::round(std::min(progress, 1.0) * 1'000) / 1'000;
    out["waiting_for_retry"] = report.parked;
    out["deferred"] = over ? json::array() : deferrals_array(still_deferred(report, now));
    out["curve"] = curve_of(report.latencies);
    out["departments"] = departments_of(report, places);
    add_reach(out, report, places);
    if (!with_communes) {
        out.erase("communes");
        return out;
    }
    if (out["communes"].is_object()) {
        name_communes(out["communes"].get_object(), places);
    }
    return out;
}

}  // namespace tocsin
