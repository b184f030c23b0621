#pragma once

#include "engine/core/clock.hpp"
#include "tools/simulator/behaviour.hpp"
#include "tools/simulator/credentials.hpp"
#include "tools/simulator/http1.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace tocsin::sim {

/// Google's OAuth 2.0 token endpoint for service accounts: a signed assertion (RFC 7523) in, an access
/// token out. One thread asks; everything else is callable from any.
class oauth_endpoint final : public http_handler {
public:
    /// `token_uri` is what an assertion's `aud` must be. The references outlive this object.
    oauth_endpoint(const credentials& known, const time_source& time, std::string token_uri)
        : known_(known), time_(time), token_uri_(std::move(token_uri)) {}

    http_reply handle(const http_call& call) override;

    void set_behaviour(const oauth_behaviour& wanted) {
        const std::lock_guard lock(mutex_);
        behaviour_ = wanted;
    }
    [[nodiscard]] std::uint64_t issued() const noexcept { return issued_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

private:
    [[nodiscard]] http_reply exchange(std::string_view form, std::uint32_t expires_in_s) const;

    const credentials& known_;
    const time_source& time_;
    std::string token_uri_;
    std::mutex mutex_;
    oauth_behaviour behaviour_;
    std::atomic<std::uint64_t> issued_{0};
    std::atomic<std::uint64_t> refused_{0};
};

}  // namespace tocsin::sim
