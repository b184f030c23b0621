#pragma once

#include "engine/delivery/provider.hpp"
#include "providers/auth/oauth_token_source.hpp"
#include "providers/common/credential_health.hpp"
#include "providers/common/response_counters.hpp"
#include "providers/connections.hpp"
#include "providers/fcm/line.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>

namespace tocsin::fcm {

/// What all channels of a provider share.
struct service {
    std::string app;
    connection_identity where;
    std::string path;  ///< /v1/projects/…/messages:send
    std::shared_ptr<auth::oauth_token_source> tokens;
    std::shared_ptr<connection_registry> connections;
    credential_health health;
    apple_trouble apple;
    project_record project;
    std::shared_ptr<host_relief> host;  ///< Shared by all apps that send there.
};

/// One app on FCM on one thread. All apps of a thread share the connections to one host.
///
/// Destroyed, it forgets the pushes in flight: nobody settles them. Drain the source first.
class fcm_channel final : public tocsin::channel {
public:
    fcm_channel(std::shared_ptr<service> shared, const channel_context& context);
    fcm_channel(const fcm_channel&) = delete;
    fcm_channel& operator=(const fcm_channel&) = delete;
    ~fcm_channel() override;

    void wake() override;
    void prepare() override { pool_->prepare(); }
    [[nodiscard]] channel_statistics statistics() const override;

private:
    void wake_at(time_point when) noexcept;

    // The service first: the line looks at what it owns.
    std::shared_ptr<service> service_;
    response_counters counters_;
    std::shared_ptr<http2::pool> pool_;
    line line_;
    const time_source& time_;
    boost::asio::steady_timer relief_;
    bool relief_waits_ = false;
    std::shared_ptr<void> alive_;
    auth::oauth_token_source::subscription new_token_;
};

}  // namespace tocsin::fcm
