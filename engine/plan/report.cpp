#include "engine/plan/report.hpp"

#include "engine/audience/audience.hpp"
#include "engine/core/plain_json.hpp"
#include "engine/plan/ledger_names.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

namespace tocsin {
namespace {

namespace json = boost::json;
namespace names = ledger_names;

template <class T = std::uint64_t>
T to_number(std::string_view text) noexcept {
    T value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// Calls `add(target, place in `words`)` for what a field "<target>:<word>" is about.
template <std::size_t Count, class Add>
void read_field(std::string_view name, const std::array<std::string_view, Count>& words, Add add) {
    const std::size_t colon = name.rfind(':');
    if (colon == std::string_view::npos) {
        return;
    }
    const auto which = parse_target(name.substr(0, colon));
    const auto word = std::ranges::find(words, name.substr(colon + 1));
    if (which && word != words.end()) {
        add(*which, static_cast<std::size_t>(word - words.begin()));
    }
}

void read_outcome(event_report& out, std::string_view name, std::uint64_t amount) {
    read_field(name, outcome_names, [&](const target& which, std::size_t i) {
        out.outcomes[i] += amount;
        out.apps[which.app][std::string(to_string(which.on))][i] += amount;
    });
}

void read_bound(event_report& out, std::string_view name, std::uint64_t amount) {
    read_field(name, lane_bound_names, [&](const target& which, std::size_t i) {
        out.limits[which.app][std::string(to_string(which.on))][i] += amount;
    });
}

/// "<kind>:<insee>"
void read_receipts(event_report& out, std::string_view name, std::uint64_t amount) {
    const std::size_t colon = name.find(':');
    const auto kind = std::ranges::find(receipt_kind_names, name.substr(0, colon));
    if (colon != std::string_view::npos && kind != receipt_kind_names.end()) {
        out.receipts[std::string(name.substr(colon + 1))]
                    [static_cast<std::size_t>(kind - receipt_kind_names.begin())] = amount;
    }
}

/// A commune in which nobody was reached has its line too: that is what its mayor must see.
void name_communes(event_report& out, const ledger_fields& fields) {
    const auto written = fields.find(names::audience);
    if (written == fields.end()) {
        return;
    }
    const auto whom = audience::decode(written->second);
    if (whom.has_error()) {
        return;
    }
    for (const commune_id commune : whom->communes()) {
        out.communes.try_emplace(to_string(commune), 0);
    }
    for (const territory& zone : whom->zones()) {
        out.communes.try_emplace(to_string(zone.commune), 0);
    }
}

json::value share_of(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? json::value(nullptr)
                      : json::value(shortened_share(static_cast<double>(part) / static_cast<double>(whole)));
}

/// The same to more digits.
json::value exact_share_of(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? json::value(nullptr)
                      : json::value(rounded_share(static_cast<double>(part) / static_cast<double>(whole)));
}

json::object outcome_object(const std::array<std::uint64_t, outcome_count>& counts) {
    json::object out;
    out["targeted"] = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    for (std::size_t i = 0; i < outcome_count; ++i) {
        out[outcome_names[i]] = counts[i];
    }
    return out;
}

// Four decimals say "36.42 %"; more would be noise in every reader's diff.
json::value time_or_null(std::int64_t when) {
    return when == 0 ? json::value(nullptr) : json::value(when);
}

}  // namespace

std::uint64_t event_report::ended() const noexcept {
    return std::accumulate(outcomes.begin(), outcomes.end(), std::uint64_t{0});
}

event_report read_report(std::string event, const ledger_fields& fields) {
    event_report out;
    out.event = std::move(event);
    const std::map<std::string_view, std::uint64_t*> numbers{
        {names::targeted, &out.targeted},
        {names::retries, &out.retries},
        {names::possible_duplicates, &out.possible_duplicates},
        {"parked", &out.parked},
        {names::removals_held, &out.removals_held},
        {names::pages_planned, &out.pages_planned},
        {names::pages_settled, &out.pages_settled}};
    for (const auto& [name, value] : fields) {
        if (const auto number = numbers.find(name); number != numbers.end()) {
            *number->second = to_number(value);
        } else if (name == names::state) {
            out.state = parse_event_state(value);
        } else if (name == names::accepted_at) {
            out.accepted_at = to_number<std::int64_t>(value);
        } else if (name == names::started_at) {
            out.started_at = to_number<std::int64_t>(value);
        } else if (name == names::receipts_until) {
            out.receipts_until = to_number<std::int64_t>(value);
        } else if (name == names::receipts_closed_at) {
            out.receipts_closed_at = to_number<std::int64_t>(value);
        } else if (name == names::receipts) {
            out.asks_receipts = value == "1";
        } else if (name == names::communes) {
            out.counts_communes = value == "1";
        } else if (name == names::poison) {
            out.reasons["engine:PoisonShard"] = to_number(value);
        } else if (name == names::damaged) {
            out.reasons["engine:DamagedEvent"] = 1;
        } else if (name == names::deferred) {
            out.deferred = read_deferrals(value);
        } else if (name == names::damaged_rosters) {
            out.reasons["engine:DamagedRoster"] = to_number(value);
        } else if (name.starts_with(names::outcome_prefix)) {
            read_outcome(out, std::string_view(name).substr(names::outcome_prefix.size()), to_number(value));
        } else if (name.starts_with(names::bound_prefix)) {
            read_bound(out, std::string_view(name).substr(names::bound_prefix.size()), to_number(value));
        } else if (name.starts_with(names::reason_prefix)) {
            out.reasons[name.substr(names::reason_prefix.size())] = to_number(value);
        } else if (name.starts_with(names::commune_prefix)) {
            out.communes[name.substr(names::commune_prefix.size())] = to_number(value);
        } else if (name.starts_with(names::unaccepted_prefix)) {
            out.unaccepted[name.substr(names::unaccepted_prefix.size())] = to_number<std::int64_t>(value);
        } else if (name.starts_with(names::receipt_prefix)) {
            read_receipts(out, std::string_view(name).substr(names::receipt_prefix.size()), to_number(value));
        } else if (name.starts_with(names::latency_prefix)) {
            out.latencies.add_bucket(
                to_number<std::size_t>(std::string_view(name).substr(names::latency_prefix.size())),
                to_number(value));
        }
    }
    name_communes(out, fields);
    return out;
}

std::vector<deferral> still_deferred(const event_report& report, wall_time now) {
    std::vector<deferral> out;
    if (report.state == event_state::running && report.finished_at == 0) {
        std::ranges::copy_if(
            report.deferred, std::back_inserter(out), [&](const deferral& one) { return one.until > now; });
    }
    return out;
}

event_state final_state(const event_report& report) {
    if (report.state == event_state::cancelling) {
        return event_state::cancelled;
    }
    const std::uint64_t failed = report.count(outcome::failed) + report.count(outcome::rejected);
    if (report.count(outcome::expired) != 0) {
        return event_state::expired;
    }
    // Somebody of the audience was not even looked for.
    const bool incomplete = std::ranges::any_of(
        std::array{"engine:PoisonShard", "engine:DamagedEvent", "engine:DamagedRoster"},
        [&](const char* reason) { return report.reasons.contains(reason); });
    if ((failed != 0 && report.count(outcome::accepted) == 0) || incomplete) {
        return event_state::failed;
    }
    return event_state::finished;
}

std::uint64_t reach_line::confirmed() const noexcept {
    return *std::ranges::max_element(told);
}

std::vector<reach_line> reach_lines(const event_report& report, const territories& places) {
    std::map<std::string_view, reach_line> lines;
    for (const auto& [insee, accepted] : report.communes) {
        reach_line& line = lines[insee];
        line.accepted = accepted;
        line.targeted = accepted;
    }
    for (const auto& [insee, left] : report.unaccepted) {
        reach_line& line = lines[insee];
        // Between the two counters of a running event a page may have been settled: never below nothing.
        line.targeted = static_cast<std::uint64_t>(
            std::max<std::int64_t>(0, static_cast<std::int64_t>(line.accepted) + left));
    }
    for (const auto& [insee, told] : report.receipts) {
        lines[insee].told = told;
    }
    std::vector<reach_line> out;
    out.reserve(lines.size());
    for (auto& [insee, line] : lines) {
        const auto id = parse_commune_id(insee);
        line.insee = insee;
        line.place = id ? places.find(*id) : nullptr;
        line.population = line.place == nullptr ? 0 : line.place->population;
        out.push_back(std::move(line));
    }
    return out;
}

reach_line reach_of_all(const event_report& report, std::span<const reach_line> lines) {
    reach_line all;
    all.targeted = report.targeted;
    all.accepted = report.count(outcome::accepted);
    for (const reach_line& one : lines) {
        all.population += one.population;
        for (std::size_t i = 0; i < receipt_kind_count; ++i) {
            all.told[i] += one.told[i];
        }
    }
    return all;
}

json::object reach_object(const reach_line& line, bool asks_receipts) {
    json::object out;
    if (line.place != nullptr) {
        out["name"] = line.place->name;
    }
    out["population"] = line.population;
    out["targeted"] = line.targeted;
    out["accepted"] = line.accepted;
    for (std::size_t i = 0; i < receipt_kind_count; ++i) {
        out[receipt_kind_names[i]] = asks_receipts ? json::value(line.told[i]) : json::value(nullptr);
    }
    out["reach"] = exact_share_of(line.accepted, line.population);
    out["confirmed_reach"] =
        asks_receipts ? exact_share_of(line.confirmed(), line.population) : json::value(nullptr);
    return out;
}

void add_reach(json::object& to, const event_report& report, const territories& places) {
    const std::vector<reach_line> lines = reach_lines(report, places);
    for (auto& [name, value] : reach_object(reach_of_all(report, lines), report.asks_receipts)) {
        to[name] = std::move(value);
    }
    json::object communes;
    for (const reach_line& one : lines) {
        communes[one.insee] = reach_object(one, report.asks_receipts);
    }
    to["communes"] = std::move(communes);
}

json::object reach_document(const event_report& report, const territories& places) {
    json::object out;
    out["event"] = report.event;
    out["state"] = to_string(report.state);
    out["closed_at"] = time_or_null(report.receipts_closed_at);
    add_reach(out, report, places);
    return out;
}

json::object communes_object(const event_report& report, const territories& places) {
    json::object communes;
    for (const auto& [insee, accepted] : report.communes) {
        const auto id = parse_commune_id(insee);
        const auto* const commune = id ? places.find(*id) : nullptr;
        json::object one{{"accepted", accepted}};
        if (commune != nullptr) {
            one["population"] = commune->population;
            one["reach"] = share_of(accepted, commune->population);
        }
        communes[insee] = std::move(one);
    }
    return communes;
}

json::object limits_object(const event_report& report) {
    json::object out;
    for (const auto& [app, platforms] : report.limits) {
        json::object one;
        for (const auto& [name, times] : platforms) {
            const auto whole =
                static_cast<double>(std::accumulate(times.begin(), times.end(), std::uint64_t{0}));
            json::object shares;
            for (std::size_t i = 0; i < lane_bound_count; ++i) {
                if (times[i] != 0) {
                    shares[lane_bound_names[i]] = shortened_share(static_cast<double>(times[i]) / whole);
                }
            }
            one[name] = std::move(shares);
        }
        out[app] = std::move(one);
    }
    return out;
}

json::object result_document(const event_report& report, const territories& places) {
    json::object out;
    out["event"] = report.event;
    out["state"] = to_string(report.state);
    out["targeted"] = report.targeted;
    for (std::size_t i = 0; i < outcome_count; ++i) {
        out[outcome_names[i]] = report.outcomes[i];
    }
    out["retries"] = report.retries;
    out["possible_duplicates"] = report.possible_duplicates;
    out["accepted_at"] = time_or_null(report.accepted_at);
    out["started_at"] = time_or_null(report.started_at);
    out["finished_at"] = time_or_null(report.finished_at);
    const bool any = report.latencies.total() != 0;
    for (const auto& [name, share] :
         {std::pair("p50_ms", 0.50), std::pair("p90_ms", 0.90), std::pair("p99_ms", 0.99)}) {
        out[name] = any ? json::value(report.latencies.quantile(share)) : json::value(nullptr);
    }
    json::object reasons;
    for (const auto& [reason, times] : report.reasons) {
        reasons[reason] = times;
    }
    out["reasons"] = std::move(reasons);
    json::object apps;
    for (const auto& [app, platforms] : report.apps) {
        json::object one;
        for (const auto& [name, counts] : platforms) {
            one[name] = outcome_object(counts);
        }
        apps[app] = std::move(one);
    }
    out["apps"] = std::move(apps);
    out["limits"] = limits_object(report);
    if (report.counts_communes) {
        out["communes"] = communes_object(report, places);
    }
    return out;
}

}  // namespace tocsin
