#pragma once

#include "engine/core/clock.hpp"
#include "tools/simulator/behaviour.hpp"
#include "tools/simulator/request.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tocsin::sim {

/// "Now", read once for everything that one read from the socket brings.
struct moment {
    time_point steady;
    std::int64_t wall_ms = 0;  ///< Since 1970.
};

/// What an answer other than success carries besides its reason.
struct refusal_details {
    std::optional<std::uint32_t> retry_after;
    std::optional<std::int64_t> timestamp;
};

/// One connection as its provider sees it: reads headers, applies the provider's checks in the
/// provider's order, words the answers. Knows nothing of sockets, frames or faults.
class conversation {
public:
    virtual ~conversation() = default;

    virtual void on_header(request& asked, std::string_view name, std::string_view value) noexcept = 0;

    /// The reason to refuse a complete request, or success. Leaves a refusal that needs words of its
    /// own in `asked.reply_text`.
    [[nodiscard]] virtual reason_index check(
        request& asked, const provider_behaviour& rules, const moment& now) noexcept = 0;

    /// Writes status, headers and body of the answer.
    virtual void accept(request& asked, const moment& now) noexcept = 0;
    virtual void refuse(
        request& asked, reason_index why, const refusal_details& details, const moment& now) noexcept = 0;

    /// From now on as if a token had been called expired (APNs).
    virtual void wedge_connection() noexcept = 0;

    /// True once the client has proven who it is: until then APNs allows one stream.
    [[nodiscard]] virtual bool authenticated() const noexcept = 0;
};

}  // namespace tocsin::sim
