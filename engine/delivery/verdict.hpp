#pragma once

#include "engine/core/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tocsin {

/// What the engine does about a provider's answer. Providers differ in their words, never in these.
enum class reaction : std::uint8_t {
    accept,      ///< The provider took it.
    drop_token,  ///< The provider's certain word, in its own form, that the device is gone: remove it, report
                 ///< it.
    doubt_token,  ///< It calls the token bad, in words that a mistake of ours brings about too: nobody is
                  ///< removed.
    retry_here,   ///< This device is throttled: try it again later.
    postpone,     ///< What only this kind of device needs is out of order, and takes a person to mend: try
                  ///< it again later, and again until the event expires. Free.
    retry_elsewhere,     ///< The provider as a whole or the connection is in trouble: try again later,
                         ///< elsewhere.
    refresh_credential,  ///< Our token expired: renew it, then try again on a new connection.
    pause_app,           ///< The app's credential is unusable on this platform: hold everything it sends.
    pause_quota,         ///< The app's quota is used up: hold everything it sends for retry_after.
    reject_event,        ///< The payload or headers are wrong for every device: stop the event here.
    reject_push,         ///< This one push is refused for good; the token stays.
    resend,   ///< Certainly not processed (refused stream, above GOAWAY's last id, never written): free.
    unknown,  ///< Written and never answered: sent again, and counted as a possible duplicate.
};

[[nodiscard]] std::string_view to_string(reaction value) noexcept;

/// What a provider's answer, or the lack of one, means for a push.
///
/// `reason` is the provider's own word ("Unregistered"), at most 64 characters of A-Z a-z 0-9 _ . -;
/// it lives as long as the call that carries the verdict.
struct verdict {
    reaction action = reaction::unknown;
    std::uint16_t status = 0;  ///< The HTTP status; 0 if there was no answer.
    std::string_view reason;
    std::optional<std::chrono::milliseconds> retry_after;
    bool told = false;  ///< `retry_after` is the provider's own word, not our table's.
    /// With reaction::unknown: the connection was lost, and the other requests on it with this one.
    bool cut = false;
    /// With reaction::pause_app: it may be about the app that the push names, rather than about the
    /// credential.
    bool about_topic = false;
    /// Behind the provider stand many services, and this is about one of them: it says nothing of the others.
    /// With reaction::resend and `retry_after` the push was not sent because its service is left alone so
    /// long.
    bool of_one_service = false;
    /// Set with drop_token when the provider says since when the token is dead: a device that
    /// registered later stays.
    std::optional<wall_time> dead_since;
    std::string_view provider_id;  ///< What the provider calls the message.
};

}  // namespace tocsin
