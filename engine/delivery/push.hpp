#pragma once

#include "engine/core/clock.hpp"

#include <cstdint>
#include <string_view>

namespace tocsin {

class message;
class page;

/// One device and one event, in memory, from page to verdict. Lives in its page's array; the
/// page outlives every pointer to it.
struct push {
    std::string_view token;            ///< As the store keeps it (platform_traits). Lives in the page.
    std::string_view keys;             ///< Of a subscription: subscription_keys. Lives in the page, too.
    const message* content = nullptr;  ///< Rendered once for the event; shared by all its pushes.
    page* owner = nullptr;
    push* next = nullptr;  ///< Link of whichever queue the push stands in.
    time_point written_at{};
    std::uint32_t registered_at = 0;  ///< Unix seconds.
    std::uint32_t territory = 0;      ///< Which of the page's rosters it came from.
    std::uint16_t variant = 0;        ///< Which localisation of `content`.
    std::uint8_t attempts = 0;        ///< Charged tries so far.
    std::uint8_t free_requeues = 0;   ///< Tries that certainly were not processed.
    bool sandbox = false;             ///< The token belongs to the development environment.
    bool is_fid = false;              ///< The token is a Firebase installation id.
    bool maybe_sent = false;          ///< An earlier try may have reached the device.
    bool in_flight = false;           ///< Taken and not settled.
    bool tried = false;               ///< Taken before, however that ended.
    bool ended = false;               ///< Has its outcome, or is parked.
    bool complained = false;          ///< Its answer was about more than itself (see complaint).
};

}  // namespace tocsin
