#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/audience/territories.hpp"
#include "engine/intake/registrar.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/value.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tocsin::cli {

/// What every action on the store needs.
struct store_session {
    settings how;
    territories places;
    std::unique_ptr<redis_session> redis;
    std::unique_ptr<device_store> store;
    event_preparer preparer;

    store_session(settings given, territories known, std::unique_ptr<redis_session> open);
    store_session(const store_session&) = delete;
    store_session& operator=(const store_session&) = delete;
    ~store_session() = default;

    /// Every app on every platform that is configured for it.
    [[nodiscard]] std::vector<target> targets() const;
    /// Those of them on whose platform `token` could be one.
    [[nodiscard]] std::vector<target> possible_targets(const std::string& token) const;
};

/// Opens the store that the configuration names and calls `action`; both return an exit code.
[[nodiscard]] int with_store(const common_options& common, const std::function<int(store_session&)>& action);

/// The registration document of a device, its token shortened unless asked for.
[[nodiscard]] boost::json::value document_of(
    const common_options& common, const target& which, const device& known);

}  // namespace tocsin::cli
