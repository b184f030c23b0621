#pragma once

#include "engine/core/error.hpp"
#include "tools/simulator/behaviour.hpp"
#include "tools/simulator/browsers.hpp"
#include "tools/simulator/options.hpp"
#include "tools/simulator/token_ledger.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::sim {

/// APNs, FCM, Google's OAuth token endpoint and a push service for browsers over real TLS and HTTP/2, on
/// threads of its own.
///
///     auto started = simulator::start(options);
///     if (!started) return report(started.error().message);
///     serve((*started)->configuration_file());
///     ... (*started)->counts(provider::apns, token).accepted == 1
///
/// Everything that the control port offers is also a member function. Thread-safe.
class simulator {
public:
    /// Makes or reuses the directory, opens the ports, starts the threads. The refusal says which file
    /// or port cannot be used.
    [[nodiscard]] static parsed<std::unique_ptr<simulator>> start(const simulator_options& options);

    simulator(const simulator&) = delete;
    simulator& operator=(const simulator&) = delete;
    ~simulator();

    /// Closes the ports, ends every connection to a provider and joins the threads. Idempotent.
    void stop() noexcept;

    [[nodiscard]] const bound_ports& ports() const noexcept;
    [[nodiscard]] std::filesystem::path configuration_file() const;  ///< tocsin.toml.
    [[nodiscard]] std::filesystem::path ca_file() const;

    /// The browser of that number, as PushSubscription.toJSON() says it. GET /subscriptions.
    [[nodiscard]] std::string subscription(std::uint64_t number) const;
    /// Its endpoint, which counts() takes for a token.
    [[nodiscard]] browser subscriber(std::uint64_t number) const;

    /// GET /stats.
    [[nodiscard]] boost::json::object stats() const;
    /// GET /tokens.
    [[nodiscard]] token_counts counts(provider of, std::string_view token) const;
    [[nodiscard]] ledger_totals totals(provider of) const;
    /// GET /received.
    [[nodiscard]] boost::json::array received(std::optional<provider> of, std::size_t limit) const;
    /// GET /behaviour.
    [[nodiscard]] behaviour current_behaviour() const;
    /// POST /behaviour: in force on every thread when it returns.
    [[nodiscard]] parsed<> change(const boost::json::value& document);
    /// POST /reset: all counts start at zero again, records are dropped; behaviour and keys stay.
    void reset();

private:
    struct parts;
    explicit simulator(std::unique_ptr<parts> made) noexcept;

    std::unique_ptr<parts> parts_;
};

}  // namespace tocsin::sim
