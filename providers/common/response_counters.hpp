#pragma once

#include "engine/core/owned_counter.hpp"
#include "engine/platform/platform.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

class metrics_shard;

/// tocsin_provider_responses_total of one app on one platform on one thread.
class response_counters {
public:
    response_counters(metrics_shard& shard, std::string app, platform where);

    /// An answer of status 200: one addition.
    void accepted() noexcept { accepted_.add(1); }
    /// Any other answer, or none (status 0). Reasons past the first 64 are counted as "Other": a
    /// peer that invents words must not fill the memory of who scrapes us.
    void count(std::uint16_t status, std::string_view reason);

private:
    struct known {
        std::uint16_t status;
        std::string reason;
        owned_counter* counter;
    };
    static constexpr std::size_t most = 64;

    [[nodiscard]] owned_counter& look_up(std::uint16_t status, std::string_view reason);

    metrics_shard& shard_;
    std::string app_;
    platform platform_;
    owned_counter& accepted_;
    std::vector<known> known_;
};

}  // namespace tocsin
