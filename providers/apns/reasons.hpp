#pragma once

#include "engine/delivery/verdict.hpp"
#include "providers/http2/client.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tocsin::apns {

/// When a push that is to be tried again may be.
enum class pace : std::uint8_t {
    engine,   ///< As the engine backs off anyway.
    at_once,  ///< Nothing was wrong with the provider or the push.
    device,   ///< The device is throttled: a minute, then twice as long each time.
    outage,   ///< Once as the engine backs off, then a minute, and twice as long each time up to the 15
              ///< minutes of Apple ("Handling notification responses"), which allows for a back-off.
};

/// One answer that APNs can give.
struct reason_row {
    std::uint16_t status;
    std::string_view reason;
    reaction action;
    pace when;
    http2::connection_advice connection;
    std::string_view meaning;
    std::string_view remedy;
    /// It may be about the topic that the push names, rather than about the credential.
    bool about_topic = false;
};

/// Every answer that Apple documents, and those seen that it does not; sorted by reason.
[[nodiscard]] std::span<const reason_row> reason_table() noexcept;

/// The row for this answer. Never fails: reasons newer than the table are judged by their status,
/// and such a row's `reason` is "Unknown".
[[nodiscard]] const reason_row& find_reason(std::uint16_t status, std::string_view reason) noexcept;

/// The row of an answer that is a web page, where APNs has none.
[[nodiscard]] const reason_row& web_page_reason() noexcept;

/// The row of a reason whose status is not known (FCM relays APNs' reasons); null if there is none.
[[nodiscard]] const reason_row* find_reason(std::string_view reason) noexcept;

/// What the answer means and what to do, for people.
[[nodiscard]] std::string explain(std::uint16_t status, std::string_view reason);

}  // namespace tocsin::apns
