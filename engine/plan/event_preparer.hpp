#pragma once

#include "engine/audience/territories.hpp"
#include "engine/civil/quiet_hours.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/event/event_parser.hpp"
#include "engine/plan/active_event.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/platform/platform_settings.hpp"
#include "engine/platform/platform_traits.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// An app as far as planning is concerned.
struct served_app {
    std::string id;
    bool everywhere = false;        ///< Serves every commune.
    std::set<commune_id> communes;  ///< Otherwise these.
    std::map<platform, std::shared_ptr<provider>> platforms;
    /// What the configuration says of each of them.
    std::map<platform, std::shared_ptr<const platform_settings>> settings{};
};

/// The code of a refusal by restore() that no other configuration would mend: the ledger is damaged.
inline constexpr std::string_view damaged_ledger = "damaged_ledger";

/// The targets that an event was planned for.
[[nodiscard]] std::vector<target> read_targets(const ledger_fields& fields);

/// Turns a document into an event that can be planned: parsed, its audience resolved, its apps
/// chosen, its message rendered for each. Pure but for the providers' rendering; does no I/O.
class event_preparer {
public:
    event_preparer(
        const territories& places, platform_set platforms, event_limits limits, const time_source& time)
        : places_(places), platforms_(platforms), limits_(limits), time_(time) {}

    /// The apps of the configuration; replaces those of before.
    void set_apps(std::vector<served_app> apps) {
        apps_ = std::move(apps);
        ++generation_;
    }
    /// Another one with every set_apps(): what was rendered under an older one may be out of date.
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
    [[nodiscard]] const std::vector<served_app>& apps() const noexcept { return apps_; }
    /// Null if there is no such app.
    [[nodiscard]] const served_app* app(std::string_view id) const noexcept;

    /// An event that was just read. The refusal is what its dead letter says.
    [[nodiscard]] parsed<std::shared_ptr<active_event>> accept(
        std::string_view document, std::string_view entry) const;

    /// The same event out of its ledger, on this or another engine, as it was accepted.
    [[nodiscard]] parsed<std::shared_ptr<active_event>> restore(
        std::string event, const ledger_fields& fields) const;

    /// What the ledger keeps of an accepted event.
    [[nodiscard]] ledger_fields describe(const active_event& event, std::string_view document) const;

    [[nodiscard]] const territories& places() const noexcept { return places_; }
    [[nodiscard]] platform_set platforms() const noexcept { return platforms_; }

    /// The hours in which events wait; none before this is called.
    void set_quiet_hours(quiet_hours hours) { quiet_ = std::move(hours); }
    [[nodiscard]] const quiet_hours& quiet() const noexcept { return quiet_; }

private:
    [[nodiscard]] parsed<> choose_targets(active_event& event) const;
    [[nodiscard]] parsed<> render(active_event& event) const;
    void finish_fields(active_event& event) const;

    const territories& places_;
    platform_set platforms_;
    event_limits limits_;
    const time_source& time_;
    std::vector<served_app> apps_;
    quiet_hours quiet_;
    std::uint64_t generation_ = 0;
};

}  // namespace tocsin
