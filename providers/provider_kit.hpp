#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/net/tls_context.hpp"
#include "engine/platform/platform_settings.hpp"
#include "providers/common/https_url.hpp"
#include "providers/connections.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <tuple>

namespace tocsin {

/// What the providers live on. Everything referred to outlives them.
struct provider_runtime {
    boost::asio::any_io_executor executor;  ///< Where access tokens are asked for; one thread's.
    std::size_t threads = 1;                ///< channel_context::thread is below it.
    const time_source& time;
    logger& log;
    std::uint64_t random_seed = 0;
};

/// Makes the providers of one platform, and once what those of several apps share. A refusal's code is the
/// key of the platform's section that is wrong.
class provider_maker {
public:
    virtual ~provider_maker() = default;
    /// `settings`: of the platform's kind.
    [[nodiscard]] virtual parsed<std::shared_ptr<provider>> make(
        const std::string& app, const platform_settings& settings) = 0;
};

/// What the makers of all platforms share.
class provider_kit {
public:
    explicit provider_kit(const provider_runtime& runtime);

    [[nodiscard]] const provider_runtime& runtime() const noexcept { return runtime_; }
    [[nodiscard]] std::uint64_t random() { return random_(); }
    [[nodiscard]] const std::shared_ptr<connection_registry>& connections() const noexcept {
        return connections_;
    }
    /// One context for all who want the same: OpenSSL reads the files once.
    [[nodiscard]] parsed<std::shared_ptr<net::tls_context>> tls(
        const std::string& alpn, const std::string& ca_file, const std::string& certificate_file = {},
        const std::string& certificate_key_file = {});

private:
    const provider_runtime& runtime_;
    std::mt19937_64 random_;
    std::shared_ptr<connection_registry> connections_;
    std::map<
        std::tuple<std::string, std::string, std::string, std::string>, std::shared_ptr<net::tls_context>>
        tls_;
};

/// A base URL in the configuration: an address without a path. `key` names it in the refusal.
[[nodiscard]] parsed<https_url> base_url(const std::string& text, std::string_view key);

}  // namespace tocsin
