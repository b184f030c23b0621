#include "tests/e2e/engine_fixture.hpp"

#include "tools/tocsin/admin_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <unistd.h>

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;

redis_server_options with_a_port(redis_server_options how) {
    how.tcp = true;
    return how;
}

}  // namespace

engine_fixture::engine_fixture(redis_server_options how) : redis(with_a_port(std::move(how))) {
    std::string pattern = (std::filesystem::temp_directory_path() / "tocsin-e2e-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("no temporary directory");
    }
    directory = pattern;
    options.directory = directory / "sim";
    const auto port = [this](std::size_t which) { return ports_[which].number(); };
    options.ports = {port(0), port(1), port(2), port(3), port(4), port(5)};
    options.redis_url = redis.url();
    options.admin_listen = "127.0.0.1:" + std::to_string(port(6));
}

engine_fixture::~engine_fixture() {
    engine.reset();
    providers.reset();
    if (!HasFailure()) {
        std::filesystem::remove_all(directory);
    }
}

void engine_fixture::start_simulator() {
    auto started = sim::simulator::start(options);
    if (started.has_error()) {
        throw std::runtime_error(started.error().message);
    }
    providers = std::move(*started);
}

void engine_fixture::start_engine() {
    if (providers == nullptr) {
        start_simulator();
    }
    auto started = cli::child_process::start(
        TOCSIN_EXECUTABLE, {"serve", "--config", providers->configuration_file().string()},
        directory / "engine.log");
    if (started.has_error()) {
        throw std::runtime_error(started.error().message);
    }
    engine.emplace(std::move(*started));
    if (!eventually([this] { return cli::admin_get(options.admin_listen, "/readyz").has_value(); })) {
        throw std::runtime_error("the engine did not get ready; see " + (directory / "engine.log").string());
    }
}

int engine_fixture::stop_engine() {
    const int status = engine->stop(60s);
    engine.reset();
    if (status != 0) {
        // The folder goes with the test, and what a sanitizer found is nowhere else.
        std::cerr << std::ifstream(directory / "engine.log").rdbuf();
    }
    return status;
}

std::uint64_t engine_fixture::requests(const std::string& endpoint) const {
    return providers->stats().at(endpoint).at("requests").to_number<std::uint64_t>();
}

std::string engine_fixture::health() const {
    const auto status = cli::admin_get(options.admin_listen, "/api/v1/status");
    return status ? boost::json::serialize(*status) : std::string();
}

bool engine_fixture::ready() const {
    return cli::admin_get_text(options.admin_listen, "/readyz").has_value();
}

finished_process engine_fixture::tocsin(std::vector<std::string> arguments, const std::string& input) {
    arguments.insert(arguments.end(), {"--config", providers->configuration_file().string()});
    return run_tocsin(arguments, input);
}

void engine_fixture::import(const std::string& lines) {
    const auto done = tocsin({"devices", "import", "-"}, lines);
    ASSERT_EQ(done.exit_code, 0) << done.err;
}

std::string engine_fixture::publish(const std::string& document) {
    return ask_redis({"XADD", "tocsin:events", "*", "event", document});
}

std::vector<std::string> engine_fixture::entries(const std::string& stream) {
    std::istringstream lines(ask_redis({"XRANGE", "tocsin:" + stream, "-", "+"}));
    std::vector<std::string> out;
    std::string line;
    // An entry is three lines: its id, the field's name, the value.
    for (int i = 0; std::getline(lines, line); ++i) {
        if (i % 3 == 2) {
            out.push_back(line);
        }
    }
    return out;
}

void engine_fixture::wait_for_length(const std::string& stream, std::size_t count) {
    ASSERT_TRUE(eventually([&] {
        return std::stoul(ask_redis({"XLEN", "tocsin:" + stream})) >= count;
    })) << ask_redis({"XLEN", "tocsin:" + stream});
}

boost::json::object engine_fixture::wait_for_result(const std::string& event) {
    boost::json::object found;
    const bool there = eventually([&] {
        for (const std::string& entry : entries("results")) {
            const auto document = boost::json::parse(entry).as_object();
            if (document.at("event").as_string() == event) {
                found = document;
                return true;
            }
        }
        return false;
    });
    if (!there) {
        throw std::runtime_error("no result of " + event + "; see " + (directory / "engine.log").string());
    }
    return found;
}

std::string apns_token(std::size_t n) {
    std::ostringstream out;
    out << std::hex << std::setw(64) << std::setfill('0') << (n + 0xA0000000);
    return out.str();
}

std::string fcm_token(std::size_t n) {
    std::ostringstream out;
    out << "fcm-device-token-number:APA91b" << std::setw(20) << std::setfill('0') << n;
    return out.str();
}

std::string registration_line(
    const std::string& app, const std::string& platform, const std::string& token,
    const std::vector<std::string>& follow) {
    return boost::json::serialize(boost::json::object{
               {"op", "register"},
               {"app", app},
               {"platform", platform},
               {"token", token},
               {"follow", boost::json::array(follow.begin(), follow.end())}}) +
           "\n";
}

std::int64_t number(const boost::json::object& from, const std::string& name) {
    return from.at(name).to_number<std::int64_t>();
}

void expect_sums_agree(const boost::json::object& result) {
    std::int64_t sum = 0;
    for (const char* const name :
         {"accepted", "dead", "rejected", "expired", "cancelled", "muted", "failed"}) {
        sum += number(result, name);
    }
    EXPECT_EQ(number(result, "targeted"), sum) << boost::json::serialize(result);
}

}  // namespace tocsin::testing
