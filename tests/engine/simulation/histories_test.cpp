#include "tests/engine/simulation/history.hpp"
#include "tests/engine/simulation/one_processor.hpp"
#include "tests/engine/simulation/redis_pair.hpp"
#include "tests/support/redis_server.hpp"

#include <cstdlib>
#include <iostream>
#include <span>
#include <string_view>

#include <gtest/gtest.h>

// Thousands of random lives of events, from the entry in the stream to the result: see history.hpp.

namespace tocsin {
namespace {

/// For a look at one history.
class printed_log final : public logger {
public:
    [[nodiscard]] bool enabled(log_level) const noexcept override { return true; }
    void write(log_level, std::string_view event, std::span<const log_field> fields) noexcept override {
        std::cout << event;
        for (const log_field& one : fields) {
            std::cout << ' ' << one.key << '=' << one.value;
        }
        std::cout << '\n';
    }
};

// 10,000 in all, in parts that run side by side. HISTORY_SEED repeats one, and shows its log. Under a
// sanitizer each takes several times as long, and finds what there is to find in the first thousands.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t histories_per_part = 125;
#else
constexpr std::uint64_t histories_per_part = 625;
#endif

class ManyHistoriesTest : public ::testing::TestWithParam<int> {
protected:
    static testing::redis_server_options with_a_port() {
        testing::redis_server_options out;
        out.tcp = true;
        return out;
    }

    testing::one_processor here;
    testing::redis_server server{with_a_port()};
    testing::redis_server replica{with_a_port()};
    testing::redis_pair redis{server, replica};

    void live(std::uint64_t seed, logger& log) { testing::history(redis, log, seed).live(); }
};

TEST_P(ManyHistoriesTest, KeepSumsExactNobodyLostAndNoRepeatUncounted) {
    if (const char* const one = std::getenv("HISTORY_SEED")) {
        printed_log shown;
        live(std::strtoull(one, nullptr, 10), shown);
        return;
    }
    const auto first = static_cast<std::uint64_t>(GetParam()) * histories_per_part;
    for (std::uint64_t seed = first; seed < first + histories_per_part; ++seed) {
        null_logger silent;
        live(seed, silent);
        if (HasFailure()) {
            FAIL() << "in the history HISTORY_SEED=" << seed;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Part, ManyHistoriesTest, ::testing::Range(0, 16));

}  // namespace
}  // namespace tocsin
