#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/ops/settings.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tocsin {

/// What the providers live on. Everything referred to outlives them.
struct provider_runtime {
    boost::asio::any_io_executor executor;  ///< Where access tokens are asked for; one thread's.
    std::size_t threads = 1;                ///< channel_context::thread is below it.
    const time_source& time;
    logger& log;
    std::uint64_t random_seed = 0;
};

/// The providers of all apps, in the order of the configuration; of one app APNs, FCM, Web Push.
///
/// Reads the key files; does no I/O otherwise. Apps with one APNs key share its token and
/// connections, apps with one service account its access token, and all apps the connections to FCM. Apps
/// with one VAPID key share its tokens, and all with one ca_file the connections to push services. A
/// refusal's code is the key ("app.apns.key_file"), its message names the app and what is wrong.
[[nodiscard]] parsed<std::vector<std::shared_ptr<provider>>> make_providers(
    const settings& configuration, const provider_runtime& runtime);

}  // namespace tocsin
