#include "engine/plan/event_state.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(EventState, IsReadAsItIsWritten) {
    for (std::size_t i = 0; i < event_state_names.size(); ++i) {
        const auto state = static_cast<event_state>(i);
        EXPECT_EQ(parse_event_state(to_string(state)), state);
    }
    EXPECT_EQ(parse_event_state(""), event_state::none);
    EXPECT_EQ(parse_event_state("Running"), event_state::unknown);
}

TEST(EventState, IsOpenUntilItHasEndedAndLiveWhileItsShardsAreWorkedOn) {
    for (const event_state state : {event_state::running, event_state::cancelling}) {
        EXPECT_TRUE(is_live(state));
        EXPECT_TRUE(is_open(state));
    }
    EXPECT_FALSE(is_live(event_state::scheduled));
    EXPECT_TRUE(is_open(event_state::scheduled));
    for (const event_state state :
         {event_state::none, event_state::finished, event_state::cancelled, event_state::expired,
          event_state::failed, event_state::unknown}) {
        EXPECT_FALSE(is_open(state)) << to_string(state);
    }
}

}  // namespace
}  // namespace tocsin
