#pragma once

#include "engine/audience/audience.hpp"
#include "engine/audience/device.hpp"
#include "engine/audience/territories.hpp"
#include "engine/core/clock.hpp"
#include "engine/event/publish_event.hpp"
#include "engine/plan/report.hpp"
#include "engine/plan/shard.hpp"
#include "engine/plan/whereabouts.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::proof {

/// An event as far as one device is concerned.
struct event_facts {
    event_report report;  ///< With its id and its state.
    publish_event content;
    tocsin::audience audience;
    std::vector<target> targets;  ///< Through which it is sent; those without a roster are none of them.
    std::string damage;           ///< Why some of it was not looked at; empty: all was.
    wall_time now{};

    [[nodiscard]] bool ended() const noexcept { return report.finished_at != 0; }
    [[nodiscard]] bool is_scheduled() const noexcept { return report.state == event_state::scheduled; }
};

/// What is known of the device in one app on one platform.
struct device_facts {
    target which;
    std::string token;            ///< As stored.
    std::optional<device> known;  ///< Empty: it is not registered.
    /// Nobody needs to have registered a device that the event names: it is sent to all the same.
    bool sent_if_unknown = false;
    struct removal {
        std::string event;
        std::string reason;
        wall_time at{};
    };
    std::optional<removal> removed;  ///< The newest feedback about it.
    std::string reached_by;          ///< Which of those that the event ends may have been sent to it.
    std::optional<bool> reached;  ///< Of an event that remembers whom it was sent to: whether it may be one.
    std::optional<whereabouts> place{};  ///< While the event runs.
};

/// Whether a push to the device left.
enum class sent_state : std::uint8_t {
    no,
    yes,     ///< The ledger or the feedback proves it.
    unknown  ///< Sums alone cannot tell one device from another.
};
[[nodiscard]] std::string_view to_string(sent_state value) noexcept;

struct device_story {
    target which;
    bool known = false;
    bool targeted = false;
    bool would_be_targeted = false;            ///< The event waits for its time.
    std::string reached_by;                    ///< The event whose receivers this one goes to.
    bool named = false;                        ///< By a selector of its own.
    std::optional<territory> matched_through;  ///< The one of its territories that it is sent from.
    bool muted = false;
    std::optional<whereabouts> place;
    std::string apns_id;            ///< Of every push of this event to this device; empty: not APNs.
    std::vector<outcome> outcomes;  ///< What it may have ended as; one: what it ended as. Empty: nothing yet.
    sent_state sent = sent_state::no;
    std::string because;  ///< One sentence.
};

/// Says only what is stored, or follows from it.
[[nodiscard]] device_story tell_story(
    const event_facts& event, const device_facts& about, const territories& places);

/// The story as `tocsin explain --json` has it; without the token.
[[nodiscard]] boost::json::object story_object(
    const device_story& story, const device_facts& about, const territories& places);

}  // namespace tocsin::proof
