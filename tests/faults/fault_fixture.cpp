#include "tests/faults/fault_fixture.hpp"

#include "engine/plan/shard.hpp"
#include "tools/tocsin/admin_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cmath>
#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;

// Only ends a test that hangs: sanitizers on a busy machine are slow.
constexpr auto patience = 120s;

}  // namespace

std::string crowd::token(std::size_t n) {
    return on_apns(n) ? apns_token(n) : fcm_token(n);
}

fault_fixture::~fault_fixture() {
    for (running_engine& one : engines_) {
        kill_hard(one);
    }
}

void fault_fixture::start_process(running_engine& which) {
    const std::vector<std::string> arguments{
        "serve",
        "--config",
        providers->configuration_file().string(),
        "--engine.instance",
        which.instance,
        "--engine.threads",
        std::to_string(threads),
        "--engine.pages_in_flight",
        std::to_string(pages_in_flight),
        "--engine.lease",
        std::to_string(lease.count()) + "ms",
        "--engine.replica_wait",
        std::to_string(replica_wait.count()) + "ms",
        "--engine.shutdown_timeout",
        std::to_string(shutdown_timeout.count()) + "ms",
        "--admin.listen",
        which.admin};
    auto started = cli::child_process::start(
        tocsin_executable(), arguments, directory / ("engine-" + which.instance + ".log"));
    if (started.has_error()) {
        throw std::runtime_error(started.error().message);
    }
    which.process.emplace(std::move(*started));
}

std::string fault_fixture::log_of(const std::string& instance) const {
    std::ifstream in(directory / ("engine-" + instance + ".log"), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

fault_fixture::running_engine& fault_fixture::launch(const std::string& instance) {
    if (providers == nullptr) {
        start_simulator();
    }
    running_engine& made = engines_.emplace_back();
    made.instance = instance;
    made.admin = "127.0.0.1:" + std::to_string(made.port.number());
    start_process(made);
    return made;
}

void fault_fixture::wait_until_ready(const running_engine& which) {
    ASSERT_TRUE(eventually([&] { return cli::admin_get(which.admin, "/readyz").has_value(); }, patience))
        << which.instance << " did not get ready";
}

void fault_fixture::kill_hard(running_engine& which) {
    if (which.process && which.process->running()) {
        ::kill(which.process->id(), SIGKILL);
        which.process->stop(5s);
    }
    which.process.reset();
}

void fault_fixture::launch_again(running_engine& which) {
    start_process(which);
}

int fault_fixture::stop(running_engine& which) {
    const int status = which.process->stop(60s);
    which.process.reset();
    return status;
}

boost::json::object fault_fixture::lane(
    const running_engine& which, const std::string& app, const std::string& platform) {
    const auto answer = cli::admin_get(which.admin, "/api/v1/lanes");
    if (answer) {
        for (const auto& one : answer->at("lanes").as_array()) {
            if (one.at("app").as_string() == app && one.at("platform").as_string() == platform) {
                return one.as_object();
            }
        }
    }
    return {};
}

void fault_fixture::register_crowds(const std::vector<crowd>& crowds) {
    if (providers == nullptr) {
        start_simulator();
    }
    std::string lines;
    for (const crowd& whom : crowds) {
        const std::vector<std::string> follow{"commune:" + whom.commune};
        for (std::size_t n = whom.first; n < whom.first + whom.count; ++n) {
            lines += registration_line(whom.app, crowd::on_apns(n) ? "apns" : "fcm", crowd::token(n), follow);
        }
    }
    import(lines);
}

reception fault_fixture::look_at(const crowd& whom) const {
    reception out;
    for (std::size_t n = whom.first; n < whom.first + whom.count; ++n) {
        const auto seen =
            providers->counts(crowd::on_apns(n) ? sim::provider::apns : sim::provider::fcm, crowd::token(n));
        out.missing += seen.accepted == 0 ? 1 : 0;
        out.requests += seen.received;
        out.accepted += seen.accepted;
        out.repeats += seen.accepted > 1 ? seen.accepted - 1 : 0;
    }
    return out;
}

std::uint64_t fault_fixture::all_requests() const {
    const auto stats = providers->stats();
    return stats.at("apns").at("requests").to_number<std::uint64_t>() +
           stats.at("fcm").at("requests").to_number<std::uint64_t>();
}

void fault_fixture::wait_for_requests(std::uint64_t count) const {
    ASSERT_TRUE(eventually([&] { return all_requests() >= count; }, patience))
        << all_requests() << " of " << count << "; see " << directory;
}

std::string fault_fixture::publish_to(const crowd& whom, const std::string& more) {
    return publish(
        R"({"audience":["commune:)" + whom.commune + R"("],"apps":[")" + whom.app +
        R"("],"notification":{"title":"Essai"})" + more + "}");
}

void fault_fixture::change_providers(const std::string& document) {
    const auto done = providers->change(boost::json::parse(document));
    ASSERT_TRUE(done.has_value()) << done.error().message;
}

void fault_fixture::expect_everybody_accepted(const boost::json::object& result, const crowd& whom) const {
    SCOPED_TRACE(boost::json::serialize(result).substr(0, 600) + "\nsee " + directory.string());
    expect_sums_agree(result);
    const auto count = static_cast<std::int64_t>(whom.count);
    EXPECT_EQ(result.at("state").as_string(), "finished");
    EXPECT_EQ(number(result, "targeted"), count);
    EXPECT_EQ(number(result, "accepted"), count);
    const reception seen = look_at(whom);
    EXPECT_EQ(seen.missing, 0U);
    EXPECT_LE(seen.repeats, static_cast<std::uint64_t>(number(result, "possible_duplicates")));
    std::cout << "repeats: " << seen.repeats << " of " << number(result, "possible_duplicates")
              << " possible\n";
}

std::uint64_t fault_fixture::bound_of_deaths(std::uint64_t deaths, std::uint64_t devices_a_page) const {
    constexpr std::uint64_t platforms = 2;
    return deaths * pages_in_flight * threads * platforms * devices_a_page;
}

std::uint64_t fault_fixture::biggest_page(const crowd& whom, std::size_t population) {
    constexpr double inhabitants_of_a_page = buckets_per_page * row_of(platform::fcm).inhabitants_per_bucket;
    const double on_fcm = 0.75 * static_cast<double>(whom.count);
    const double usual = on_fcm * std::min(1.0, inhabitants_of_a_page / static_cast<double>(population));
    // Devices are spread by hash: six standard deviations.
    return static_cast<std::uint64_t>(usual + 6 * std::sqrt(usual));
}

std::uint64_t fault_fixture::biggest_page_of_all(const crowd& whom, std::size_t population) {
    return std::max<std::uint64_t>(1'000, biggest_page(whom, population));
}

}  // namespace tocsin::testing
