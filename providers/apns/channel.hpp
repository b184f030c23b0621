#pragma once

#include "engine/delivery/provider.hpp"
#include "providers/apns/line.hpp"
#include "providers/auth/provider_token.hpp"
#include "providers/common/credential_health.hpp"
#include "providers/common/response_counters.hpp"
#include "providers/connections.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>

namespace tocsin::apns {

/// What all channels of a provider share.
struct service {
    std::string app;
    connection_identity production;
    connection_identity sandbox;
    std::shared_ptr<auth::provider_token> token;  ///< Null: mutual TLS.
    std::shared_ptr<connection_registry> connections;
    credential_health health;

    /// A simulator may serve both environments at one address; then there is nothing to keep apart.
    [[nodiscard]] bool one_environment() const {
        return production.where.authority == sandbox.where.authority;
    }
};

/// One app on APNs on one thread: a line and a pool for each environment.
///
/// Destroyed, it forgets the pushes in flight: nobody settles them. Drain the source first.
class apns_channel final : public tocsin::channel {
public:
    apns_channel(std::shared_ptr<service> shared, const channel_context& context);
    apns_channel(const apns_channel&) = delete;
    apns_channel& operator=(const apns_channel&) = delete;
    ~apns_channel() override;

    void wake() override;
    void prepare() override { production_pool_->prepare(); }
    [[nodiscard]] channel_statistics statistics() const override;

private:
    void watch_queues();

    // The service first: the lines look at what it owns.
    std::shared_ptr<service> service_;
    const time_source& time_;
    response_counters counters_;
    std::shared_ptr<http2::pool> production_pool_;
    std::shared_ptr<http2::pool> sandbox_pool_;  ///< Null if one line serves both.
    line production_;
    std::optional<line> sandbox_;
    boost::asio::steady_timer watch_;
    bool watching_ = false;
    std::shared_ptr<void> alive_;  ///< Told to the timer's handler, which may run after us.
};

}  // namespace tocsin::apns
