#pragma once

#include "engine/civil/quiet_hours.hpp"
#include "engine/core/clock.hpp"
#include "engine/event/publish_event.hpp"
#include "engine/event/territory.hpp"

#include <boost/json/array.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// Territories of an event that quiet hours hold back until the same moment.
struct deferral {
    wall_time until{};
    std::size_t territories = 0;
    std::vector<std::string> zones;  ///< Of the IANA database, in their order.

    friend bool operator==(const deferral&, const deferral&) = default;
};

/// As a list of objects: "until" (ms), "territories", "zones".
[[nodiscard]] boost::json::array deferrals_array(const std::vector<deferral>& which);
/// The same as text, for the ledger.
[[nodiscard]] std::string write_deferrals(const std::vector<deferral>& which);
/// What write_deferrals() wrote; what makes no sense is left out.
[[nodiscard]] std::vector<deferral> read_deferrals(std::string_view text);

/// Where quiet hours defer one event to, as of one moment. Asked for each territory; the zones are few.
class deferral_book {
public:
    deferral_book(const quiet_hours& hours, const publish_event& event, wall_time now)
        : hours_(hours), event_(event), now_(now), holds_(hours.hold(event)) {}

    /// When `where` may be sent to; the beginning of time: at once. Never later than the event expires:
    /// whoever is still to wait then is asked for no longer. Notes it for deferrals().
    [[nodiscard]] wall_time moment_for(const territory& where);

    /// How that which leaves at `moment` is spaced.
    [[nodiscard]] std::chrono::milliseconds spread_from(wall_time moment) const noexcept;

    /// What was deferred so far, in the order of the moments.
    [[nodiscard]] std::vector<deferral> deferrals() const;

private:
    struct held {
        std::set<territory> territories;
        std::set<std::string_view> zones;
    };

    const quiet_hours& hours_;
    const publish_event& event_;
    wall_time now_;
    bool holds_;
    std::map<std::string_view, std::optional<wall_time>> ends_;  ///< By zone.
    std::map<wall_time, held> held_;
};

}  // namespace tocsin
