#include "tools/tocsin/follow.hpp"

#include "engine/core/rfc3339.hpp"
#include "engine/plan/ledger.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/letters.hpp"
#include "tools/tocsin/report_document.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto look_again = 100ms;
constexpr auto patience = 5s;  // Before somebody is told that perhaps no engine runs.

struct sight {
    std::optional<stored_event> event;
    std::optional<letter> refusal;
    bool other_entry = false;
};

asio::awaitable<result<sight>> look(
    redis_session& redis, std::string event, std::string entry, refusal_search& refusals) {
    sight out;
    auto found = co_await read_stored_event(redis, std::move(event));
    if (found.has_error()) {
        co_return found.error();
    }
    out.event = std::move(*found);
    const std::string_view owner = out.event ? out.event->field("entry") : std::string_view();
    out.other_entry = !entry.empty() && !owner.empty() && owner != entry;
    if (!out.event || out.other_entry) {
        auto refused = co_await refusals.look();
        if (refused.has_error()) {
            co_return refused.error();
        }
        out.refusal = std::move(*refused);
    }
    co_return out;
}

std::string sentence_about(const letter& refusal) {
    return "the event was refused: " + refusal.reason + " (dead letter " + refusal.id + ")";
}

void pause(redis_session& redis) {
    asio::steady_timer timer(redis.loop(), look_again);
    timer.wait();
}

}  // namespace

std::string deferral_lines(const event_report& report, wall_time now) {
    std::string out;
    for (const deferral& one : still_deferred(report, now)) {
        std::string zones;
        for (const std::string& zone : one.zones) {
            zones += (zones.empty() ? "" : ", ") + zone;
        }
        out += fmt::format(
            "{}{} {} the end of quiet hours at {} ({})", out.empty() ? "" : "\n", grouped(one.territories),
            one.territories == 1 ? "territory waits for" : "territories wait for", format_rfc3339(one.until),
            shown(zones));
    }
    return out;
}

boost::json::object document_so_far(const event_report& report, const territories& places, wall_time now) {
    boost::json::object out = result_document(report, places);
    out["deferred"] = deferrals_array(still_deferred(report, now));
    return out;
}

std::string report_table(const event_report& report, wall_time now) {
    std::string out = fmt::format("{} {}", inked(ink::bold, report.event), to_string(report.state));
    if (report.finished_at != 0) {
        out += " in " + spoken_ms(static_cast<double>(report.finished_at - report.accepted_at));
    }
    table sums({"", "devices"});
    sums.add({"targeted", grouped(report.targeted)});
    for (std::size_t i = 0; i < outcome_count; ++i) {
        if (report.outcomes[i] != 0) {
            sums.add({"  " + std::string(outcome_names[i]), grouped(report.outcomes[i])});
        }
    }
    if (report.parked != 0) {
        sums.add({"  waiting for a retry", grouped(report.parked)});
    }
    if (report.asks_receipts) {
        receipt_counts told{};
        for (const auto& [insee, counts] : report.receipts) {
            std::ranges::transform(told, counts, told.begin(), std::plus());
        }
        for (std::size_t i = 0; i < receipt_kind_count; ++i) {
            sums.add({std::string(receipt_kind_names[i]), grouped(told[i])});
        }
    }
    sums.add({"retries", grouped(report.retries)});
    sums.add({"possible duplicates", grouped(report.possible_duplicates)});
    out += "\n" + sums.text();
    if (const std::string held = deferral_lines(report, now); !held.empty()) {
        out += "\n" + held;
    }
    if (report.latencies.total() != 0) {
        out += fmt::format(
            "\naccepted within: 50 % {}, 90 % {}, 99 % {}",
            spoken_ms(static_cast<double>(report.latencies.quantile(0.5))),
            spoken_ms(static_cast<double>(report.latencies.quantile(0.9))),
            spoken_ms(static_cast<double>(report.latencies.quantile(0.99))));
    }
    for (const auto& [app, platforms] : limits_object(report)) {
        for (const auto& [name, shares] : platforms.as_object()) {
            out += fmt::format(
                "\nheld up {}/{}: {}", shown(app), shown(name), shown(spoken_shares(shares.as_object())));
        }
    }
    for (const auto& [reason, times] : report.reasons) {
        out += fmt::format("\n  {} × {}", grouped(times), shown(reason));
    }
    return out;
}

int follow_event(redis_session& redis, const common_options& common, std::string event, std::string entry) {
    progress_line progress;
    refusal_search refusals(redis, event, entry);
    const time_point begun = redis.time().now();
    bool warned = false;
    for (;;) {
        const sight seen = redis.run(look(redis, event, entry, refusals));
        if (seen.refusal) {
            throw command_end(exit_failed, sentence_about(*seen.refusal));
        }
        if (seen.other_entry) {
            progress.clear();
            complain(
                "an event with the id \"" + event + "\" was accepted before: this one is not sent again");
            return exit_ok;
        }
        if (seen.event && seen.event->report.finished_at != 0) {
            progress.clear();
            if (common.json) {
                print_json(seen.event->result);
            } else {
                print(report_table(seen.event->report, redis.time().wall_now()));
            }
            return seen.event->report.state == event_state::finished ? exit_ok : exit_failed;
        }
        if (seen.event) {
            const event_report& report = seen.event->report;
            const double share = report.pages_planned == 0 ? 0
                                                           : static_cast<double>(report.pages_settled) /
                                                                 static_cast<double>(report.pages_planned);
            const auto held = still_deferred(report, redis.time().wall_now());
            progress.show(fmt::format(
                "{} {:3.0f} %  {} accepted  {} dead  {} waiting{}", progress_line::bar(share), share * 100,
                grouped(report.count(outcome::accepted)), grouped(report.count(outcome::dead)),
                grouped(report.parked),
                held.empty() ? std::string() : "  deferred until " + format_rfc3339(held.front().until)));
        } else if (!warned && redis.time().now() - begun > patience) {
            warned = true;
            complain("no engine has taken the event yet: is one running on this Redis?");
        }
        pause(redis);
    }
}

void end_without(redis_session& redis, const std::string& event) {
    refusal_search refusals(redis, event, "");
    const auto refused = redis.run(refusals.look());
    throw command_end(
        exit_failed,
        refused ? sentence_about(*refused)
                : "no event \"" + event + "\" is known; what ended is kept for engine.event_retention");
}

}  // namespace tocsin::cli
