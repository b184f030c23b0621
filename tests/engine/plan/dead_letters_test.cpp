#include "engine/plan/dead_letters.hpp"

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/ops/metrics.hpp"
#include "tests/support/redis_cluster.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

/// One entry of the stream `events` that a consumer has read, and what becomes of it.
class refused_entry {
public:
    explicit refused_entry(const std::string& url)
        : redis_(loop_.get_executor(), redis::parse_address(url).value(), time_, log_),
          letters_(redis_, keys_, 1'000, numbers_.add_shard()) {
        ask("XGROUP", "CREATE", keys_.events(), keyspace::group, "0", "MKSTREAM");
        entry_ = ask("XADD", keys_.events(), "*", "event", "not JSON");
        ask("XREADGROUP", "GROUP", keyspace::group, "one", "STREAMS", keys_.events(), ">");
    }

    void post() {
        const auto done = testing::run_to_end(
            loop_, letters_.post(keys_.events(), entry_, refusal("malformed", "it is not JSON"), "not JSON"));
        EXPECT_TRUE(done.has_value());
    }
    std::int64_t letters() {
        redis::request what;
        what.add("XLEN", keys_.dead_letters());
        return testing::run_to_end(loop_, redis_.execute(std::move(what))).value().front().integer().value();
    }
    /// How many entries are read and not acknowledged.
    std::int64_t pending() {
        redis::request what;
        what.add("XPENDING", keys_.events(), keyspace::group);
        return testing::run_to_end(loop_, redis_.execute(std::move(what)))
            .value()
            .front()[0]
            .integer()
            .value();
    }

private:
    template <class... Words>
    std::string ask(const Words&... words) {
        redis::request what;
        what.add(words...);
        return std::string(
            testing::run_to_end(loop_, redis_.execute(std::move(what))).value().front().text());
    }

    boost::asio::io_context loop_{1};
    system_time_source time_;
    null_logger log_;
    metrics numbers_;
    keyspace keys_{"tocsin"};
    redis::client redis_;
    dead_letters letters_;
    std::string entry_;
};

TEST(DeadLetters, OneStepPostsTheLetterAndAcknowledgesTheEntry) {
    const testing::redis_server server;
    refused_entry refused(server.url());
    ASSERT_EQ(refused.pending(), 1);
    refused.post();
    EXPECT_EQ(refused.letters(), 1);
    EXPECT_EQ(refused.pending(), 0);
}

TEST(DeadLetters, OnAClusterAnEntryThatIsReadAgainGetsNoSecondLetter) {
    const testing::redis_cluster cluster;
    refused_entry refused(cluster.url());
    ASSERT_EQ(refused.pending(), 1);
    refused.post();
    EXPECT_EQ(refused.letters(), 1);
    EXPECT_EQ(refused.pending(), 0);
    // As an engine does that took the entry over from one that died before the acknowledgement.
    refused.post();
    EXPECT_EQ(refused.letters(), 1);
    EXPECT_EQ(refused.pending(), 0);
}

}  // namespace
}  // namespace tocsin
