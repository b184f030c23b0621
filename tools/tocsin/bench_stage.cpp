#include "tools/tocsin/bench_stage.hpp"

#include "engine/core/json_members.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <boost/json/object.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// What `sim --json` has told on its standard output, once it is there whole.
std::optional<json::object> announcement(const fs::path& log) {
    std::ifstream file(log);
    std::string found;
    for (std::string line; std::getline(file, line);) {
        // A directory that is kept may have the log of an earlier run.
        if (line.starts_with('{') && !file.eof()) {
            found = std::move(line);
        }
    }
    return parse_object(found);
}

struct started_simulator {
    child_process process;
    json::object told;
};

parsed<started_simulator> start_simulator(
    const fs::path& directory, const std::string& admin, const bench_options& how) {
    const fs::path log = directory / "simulator.log";
    std::error_code ignored;
    fs::remove(log, ignored);
    std::optional<json::object> told;
    const auto has_told = [&] { return (told = announcement(log)).has_value(); };
    auto process = start_and_await(
        own_executable(),
        {"sim",
         "--json",
         "--apns-port=0",
         "--sandbox-port=0",
         "--fcm-port=0",
         "--oauth-port=0",
         "--control-port=0",
         "--webpush-port=0",
         "--directory",
         (directory / "providers").string(),
         "--threads",
         std::to_string(how.simulator_threads),
         "--latency",
         how.latency,
         "--answers",
         how.answers,
         "--dead-share",
         fmt::format("{}", how.dead_share),
         "--rate",
         std::to_string(how.rate),
         "--redis-url",
         private_redis_url(directory),
         "--admin-listen",
         admin},
        log, has_told, "the simulator did not start");
    if (process.has_error()) {
        return process.error();
    }
    return started_simulator{std::move(*process), std::move(*told)};
}

}  // namespace

bench_stage open_bench_stage(const fs::path& directory, const bench_options& how) {
    auto redis = value_or_end(start_private_redis(directory), exit_unreachable);
    const std::string admin = "127.0.0.1:" + std::to_string(free_port());
    auto simulator = value_or_end(start_simulator(directory, admin, how), exit_unreachable);
    const json::object& told = simulator.told;
    return bench_stage{
        directory,
        std::move(redis),
        std::move(simulator.process),
        std::string(told.at("config").as_string()),
        "127.0.0.1:" + std::to_string(told.at("control").to_number<std::uint16_t>()),
        admin,
        "https://localhost:" + std::to_string(told.at("webpush").to_number<std::uint16_t>()),
        std::nullopt};
}

parsed<bench_mix> mix_for(const bench_stage& on, const bench_options& how) {
    bench_mix out{how.apns_share, how.webpush_share, nullptr, on.push_origin};
    if (how.webpush_share == 0) {
        return out;
    }
    std::ifstream file(on.directory / "providers" / "push-secret");
    auto made = sim::browsers::create({std::istreambuf_iterator<char>(file), {}});
    if (made.has_error()) {
        return refusal{"browsers", "the simulator's browsers cannot be made: " + made.error().message()};
    }
    out.browsers = std::move(*made);
    return out;
}

void start_bench_engine(bench_stage& on, const bench_options& how) {
    on.engine.emplace(value_or_end(
        start_private_engine(
            on.configuration, on.admin, on.directory / "engine.log",
            {"--engine.threads", std::to_string(how.threads)}),
        exit_unreachable));
}

}  // namespace tocsin::cli
