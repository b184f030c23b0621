#include "engine/delivery/event_end.hpp"

#include <chrono>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

TEST(EventEnd, IsJudgedByItsStateAndByWhatWasPutAside) {
    struct row {
        event_state state;
        std::uint64_t targeted;
        std::uint64_t accepted;
        bool some_aside;
        event_end wanted;
    };
    const std::vector<row> rows{
        {event_state::running, 10, 10, false, event_end::result},
        {event_state::cancelling, 10, 3, false, event_end::result},
        {event_state::running, 0, 0, false, event_end::result},
        {event_state::running, 10, 9, true, event_end::give_up},
        {event_state::cancelling, 10, 9, true, event_end::give_up},
        {event_state::running, 10, 10, true, event_end::result},
        {event_state::finished, 10, 10, false, event_end::had_ended},
        {event_state::cancelled, 10, 3, true, event_end::had_ended},
        {event_state::expired, 10, 3, false, event_end::had_ended},
        {event_state::failed, 10, 3, true, event_end::had_ended},
        {event_state::scheduled, 0, 0, false, event_end::had_ended},
        {event_state::none, 0, 0, false, event_end::not_there},
        {event_state::none, 10, 3, true, event_end::not_there},
    };
    for (const row& each : rows) {
        event_report report;
        report.state = each.state;
        report.targeted = each.targeted;
        report.outcomes[static_cast<std::size_t>(outcome::accepted)] = each.accepted;
        if (each.some_aside) {
            report.reasons["engine:PoisonShard"] = 1;
        }
        EXPECT_EQ(judge_end(report), each.wanted)
            << to_string(each.state) << " " << each.accepted << " of " << each.targeted
            << (each.some_aside ? ", some put aside" : "");
    }
}

TEST(EventAbsence, IsCertainOnlyAfterAWhile) {
    struct row {
        std::optional<event_state> found;
        bool listed;
        duration missing_for;
        absence wanted;
    };
    const std::vector<row> rows{
        {event_state::running, true, 0s, absence::none},
        {event_state::cancelling, true, 1h, absence::none},
        {event_state::running, false, 0s, absence::unlisted},
        {event_state::cancelling, false, 1h, absence::unlisted},
        {event_state::finished, false, 0s, absence::ended},
        {event_state::cancelled, true, 1h, absence::ended},
        {event_state::scheduled, false, 0s, absence::ended},
        {event_state::none, false, 0s, absence::uncertain},
        {event_state::none, true, 5s - 1ns, absence::uncertain},
        {event_state::none, true, 5s, absence::forgotten},
        {event_state::none, false, 1h, absence::forgotten},
        {std::nullopt, true, 0s, absence::damaged},
        {std::nullopt, false, 1h, absence::damaged},
    };
    for (const row& each : rows) {
        EXPECT_EQ(judge_absence(each.found, each.listed, each.missing_for), each.wanted)
            << (each.found ? to_string(*each.found) : "damaged")
            << (each.listed ? ", listed" : ", not listed") << " after "
            << std::chrono::duration_cast<std::chrono::milliseconds>(each.missing_for).count() << " ms";
    }
}

}  // namespace
}  // namespace tocsin
