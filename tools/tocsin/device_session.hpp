#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/audience/territories.hpp"
#include "engine/intake/registrar.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace tocsin::cli {

/// What every action on the store needs; what it cannot have ends the command.
struct store_session : opened_session {
    explicit store_session(const common_options& common);

    territories places;
    device_store store;
    event_preparer preparer;

    /// Every app on every platform that is configured for it.
    [[nodiscard]] std::vector<target> targets() const;
    /// Those of them on whose platform `token` could be one.
    [[nodiscard]] std::vector<target> possible_targets(const std::string& token) const;
};

/// The registration document of a device, its token shortened unless asked for.
[[nodiscard]] boost::json::value document_of(
    const common_options& common, const target& which, const device& known);

}  // namespace tocsin::cli
