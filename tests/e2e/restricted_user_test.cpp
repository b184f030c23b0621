#include "engine/core/clock.hpp"
#include "engine/core/rfc3339.hpp"
#include "tests/e2e/engine_fixture.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

// The whole job as a user of Redis who may do no more than docs/how-to/run-in-production.md says.

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::expect_sums_agree;
using testing::fcm_token;
using testing::number;
using testing::registration_line;

/// The rights behind "ACL SETUSER tocsin" on that page, whose lines end in a backslash but for the last.
std::string documented_rights() {
    std::ifstream page(TOCSIN_HOW_TO_FOLDER "/run-in-production.md");
    std::string line;
    while (std::getline(page, line) && !line.starts_with("ACL SETUSER tocsin ")) {
    }
    std::string out = line.substr(std::min(line.size(), std::string("ACL SETUSER ").size()));
    while (out.ends_with('\\') && std::getline(page, line)) {
        out.pop_back();
        out += line;
    }
    if (out.empty()) {
        throw std::runtime_error("no ACL SETUSER in run-in-production.md");
    }
    return out;
}

testing::redis_server_options with_a_user() {
    testing::redis_server_options out;
    out.users.push_back(documented_rights());
    return out;
}

class RestrictedUserTest : public testing::engine_fixture {
protected:
    RestrictedUserTest() : engine_fixture(with_a_user()) {
        const std::string url = redis.url();
        options.redis_url =
            url.substr(0, url.find("://") + 3) + "tocsin:secret@" + url.substr(url.find("127."));
        setenv("TOCSIN_ENGINE_RECEIPTS_WINDOW", "2s", 1);
    }
    ~RestrictedUserTest() override { unsetenv("TOCSIN_ENGINE_RECEIPTS_WINDOW"); }

    void expect_fine(const std::vector<std::string>& arguments, const std::string& input = {}) {
        const auto done = tocsin(arguments, input);
        EXPECT_EQ(done.exit_code, 0) << arguments.front() << ": " << done.err;
    }

    /// What the user has tried and must not do, a line each.
    [[nodiscard]] std::string refused() const {
        std::istringstream log(redis.cli({"ACL", "LOG", "1000"}));
        std::string out;
        std::string line;
        while (std::getline(log, line)) {
            if (line == "object") {
                std::getline(log, line);
                out += line + '\n';
            }
        }
        return out;
    }
};

TEST_F(RestrictedUserTest, EverythingThatAnEngineAndItsCommandsDoIsAmongTheDocumentedRights) {
    start_simulator();
    start_engine();
    std::string lines;
    for (std::size_t n = 0; n < 50; ++n) {
        lines += registration_line("mairies", "fcm", fcm_token(n), {"commune:21231", "zone:21231:centre"});
    }
    import(lines);
    redis.cli(
        {"XADD", "tocsin:registrations", "*", "registration",
         registration_line("mairies", "fcm", fcm_token(90), {"commune:21231"})});
    const std::string first = publish(R"({"audience":["commune:21231"],"notification":{"title":"Test"}})");
    const json::object result = wait_for_result(first);
    expect_sums_agree(result);
    EXPECT_GE(number(result, "accepted"), 50);

    // Retries, dead devices, refusals, what is held, slowed down, cancelled, spread or sent later.
    const auto changed = providers->change(json::object{
        {"fcm",
         {{"answers",
           json::array{
               json::object{
                   {"token", fcm_token(1)},
                   {"then", json::array{json::object{{"reason", "UNAVAILABLE"}, {"retry_after", 3}}}}},
               json::object{
                   {"token", fcm_token(2)},
                   {"then", json::array{json::object{{"reason", "UNREGISTERED"}}}}}}}}}});
    ASSERT_TRUE(changed.has_value()) << changed.error().message;
    const json::object second =
        wait_for_result(publish(R"({"audience":["everyone"],"notification":{"title":"Test"}})"));
    expect_sums_agree(second);
    EXPECT_EQ(number(second, "dead"), 1);
    EXPECT_EQ(number(second, "retries"), 1);
    publish(R"({"nonsense":1})");
    wait_for_length("dead-letters", 1);
    const std::string reported =
        wait_for_result(
            publish(R"({"audience":["commune:21231"],"notification":{"title":"Test"},"receipts":true})"))
            .at("event")
            .as_string()
            .c_str();
    redis.cli(
        {"XADD", "tocsin:receipts", "*", "receipt",
         R"({"event":")" + reported +
             R"(","app":"mairies","kind":"opened","batch":"1","counts":{"21231":5}})"});
    wait_for_length("reach", 1);
    EXPECT_EQ(number(json::parse(entries("reach").front()).as_object(), "opened"), 5);
    // After its window: a letter, among those that are retried below.
    redis.cli(
        {"XADD", "tocsin:receipts", "*", "receipt",
         R"({"event":")" + reported +
             R"(","app":"mairies","kind":"opened","batch":"2","counts":{"21231":5}})"});
    wait_for_length("dead-letters", 2);
    const std::string alert = publish(
        R"({"audience":["commune:21231"],"notification":{"title":"Test"},"spread":2,"remember_reached":true})");
    const json::object alarmed = wait_for_result(alert);
    const json::object told = wait_for_result(publish(
        R"({"audience":["commune:21231"],"notification":{"title":"Test"},"reached_by":[")" + alert + "\"]}"));
    EXPECT_EQ(number(told, "targeted"), number(alarmed, "accepted"));
    expect_fine({"pause", "--app", "mairies"});
    const std::string held = publish(R"({"audience":["commune:21231"],"notification":{"title":"Test"}})");
    publish(
        R"({"audience":["commune:21231"],"notification":{"title":"Test"},"send_at":")" +
        format_rfc3339(system_time_source().wall_now() + std::chrono::hours(1)) + R"("})");
    expect_fine({"rate", "--app", "mairies", "--platform", "fcm", "--set", "5000"});
    expect_fine({"status"});
    expect_fine({"status", first});
    expect_fine({"report", first});
    expect_fine({"cancel", held});
    expect_fine({"resume"});
    EXPECT_EQ(wait_for_result(held).at("state").as_string(), "cancelled");
    expect_fine({"publish", "--to", "commune:21231", "--title", "Test", "--watch"});
    expect_fine({"devices", "count"});
    expect_fine({"devices", "export"});
    expect_fine({"devices", "show", fcm_token(3)});
    expect_fine({"devices", "forget", fcm_token(3)});
    expect_fine({"dead-letters", "list"});
    expect_fine({"dead-letters", "retry", "--all"});
    wait_for_length("dead-letters", 2);
    expect_fine({"dead-letters", "drop", "--all"});
    EXPECT_EQ(stop_engine(), 0);
    EXPECT_EQ(refused(), "");
}

}  // namespace
}  // namespace tocsin
