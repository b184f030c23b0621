#include "tests/e2e/engine_fixture.hpp"
#include "tests/support/redis_failover.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::expect_sums_agree;
using testing::fcm_token;
using testing::number;
using testing::registration_line;

/// The main job on a master that a Sentinel watches, with one replica.
class FailoverJobTest : public testing::engine_fixture {
protected:
    FailoverJobTest() : servers(redis) { options.redis_url = servers.url(); }

    std::string ask_redis(const std::vector<std::string>& command) override {
        return servers.master().cli(command);
    }

    testing::redis_failover servers;
};

TEST_F(FailoverJobTest, TheEngineGoesOnWithTheReplicaThatTookOver) {
    start_engine();
    constexpr std::size_t devices = 200;
    std::string lines;
    for (std::size_t n = 0; n < devices; ++n) {
        lines += registration_line("mairies", "fcm", fcm_token(n), {"commune:21231"});
    }
    import(lines);
    const std::string event = R"({"audience":["commune:21231"],"notification":{"title":"Test"}})";
    EXPECT_EQ(number(wait_for_result(publish(event)), "accepted"), devices);

    servers.wait_until_replicated();
    servers.kill_master();
    const json::object result = wait_for_result(publish(event));
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "accepted"), devices);
    EXPECT_EQ(tocsin({"devices", "count"}).exit_code, 0);
    EXPECT_EQ(stop_engine(), 0);
}

}  // namespace
}  // namespace tocsin
