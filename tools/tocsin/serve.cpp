#include "engine/core/heap.hpp"
#include "engine/engine.hpp"
#include "engine/live/live_routes.hpp"
#include "engine/live/live_view.hpp"
#include "engine/ops/admin_routes.hpp"
#include "engine/ops/admin_server.hpp"
#include "engine/ops/health.hpp"
#include "engine/ops/log_sink.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/ops/sd_notify.hpp"
#include "engine/ops/signals.hpp"
#include "engine/redis/address.hpp"
#include "providers/factory.hpp"
#include "providers/known_platforms.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/page_routes.hpp"
#include "tools/tocsin/paused_lanes.hpp"
#include "tools/tocsin/session.hpp"
#include "tools/tocsin/version.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

using provider_list = std::vector<std::shared_ptr<provider>>;

/// The providers in use, for readers of other threads.
class current_providers {
public:
    void replace(provider_list with) {
        const std::scoped_lock lock(mutex_);
        list_ = std::move(with);
    }
    [[nodiscard]] provider_list get() const {
        const std::scoped_lock lock(mutex_);
        return list_;
    }
    /// A sentence about every credential with which some cannot be reached; empty if there is none.
    [[nodiscard]] std::string problems() const {
        std::string out;
        for (const auto& one : get()) {
            const credential_state state = one->credential();
            if (!state.problem.empty()) {
                out += (out.empty() ? "" : " ") + one->app() + "/" + std::string(to_string(one->kind())) +
                       ": " + state.problem;
            }
        }
        return out;
    }

private:
    mutable std::mutex mutex_;
    provider_list list_;
};

boost::json::object shares_object(const std::array<double, lane_bound_count>& shares) {
    boost::json::object out;
    for (std::size_t i = 0; i < lane_bound_count; ++i) {
        if (shares[i] > 0) {
            out[lane_bound_names[i]] = std::round(shares[i] * 10'000) / 10'000;
        }
    }
    return out;
}

boost::json::array lanes_array(const std::vector<lane_status>& lanes) {
    boost::json::array out;
    for (const lane_status& lane : lanes) {
        out.push_back(boost::json::object{
            {"app", lane.which.app},
            {"platform", to_string(lane.which.on)},
            {"waiting", lane.waiting},
            {"in_flight", lane.in_flight},
            {"connections", lane.connections.connections_ready},
            {"rate", lane.rate},
            {"paused", lane.paused_because},
            {"bound_by", to_string(lane.bound)},
            {"bound_lately", shares_object(lane.bound_lately)}});
    }
    return out;
}

/// What of the credentials a scrape shows, brought up to date from time to time.
asio::awaitable<void> sample_credentials(
    const current_providers& providers, metrics_shard& numbers, const time_source& time) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        for (const auto& one : providers.get()) {
            const credential_state state = one->credential();
            if (state.issued_at) {
                const auto age = time.wall_now() - *state.issued_at;
                numbers.gauge(metric::credential_age_seconds, {one->app(), to_string(one->kind())})
                    .set(std::chrono::duration<double>(age).count());
            }
        }
        timer.expires_after(5s);
        const auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (ec) {
            co_return;
        }
    }
}

std::optional<std::string> variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

/// Tells the service manager that every event loop turns, for as long as every one does.
asio::awaitable<void> feed_watchdog(
    const sd_notifier& manager, const health& checks, std::chrono::microseconds every) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        if (checks.liveness().good()) {
            static_cast<void>(manager.alive());
        }
        timer.expires_after(every);
        const auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (ec) {
            co_return;
        }
    }
}

struct reread_configuration {
    std::optional<settings> how;
    parsed<provider_list> providers;
};

/// The configuration as it is now, and its providers; or why it is not taken.
reread_configuration reread(
    const common_options& common, const territories& places, const provider_runtime& runtime) {
    std::string problems;
    const auto collect = [&problems](std::string_view problem) {
        problems += (problems.empty() ? "" : "; ") + std::string(problem);
    };
    auto how = read_settings(common, collect);
    if (!how || !serves_an_app(*how, collect) || !communes_exist(*how, places, collect)) {
        return {std::nullopt, refusal{"configuration", std::move(problems)}};
    }
    auto providers = make_providers(*how, runtime);
    return {std::move(how), std::move(providers)};
}

/// An alert comes out of the blue and takes memory for thousands of devices at once.
void prepare_heaps(const std::vector<asio::any_io_executor>& loops) {
    // What a thread takes for all pages that it may have in flight of three platforms. However many threads
    // there are, no more than two of them need.
    constexpr std::size_t of_a_thread = std::size_t{24} << 20;
    constexpr std::size_t of_all = 2 * of_a_thread;
    keep_freed_memory(of_all);
    for (const asio::any_io_executor& loop : loops) {
        asio::post(loop, [room = std::min(of_a_thread, of_all / loops.size())] { prepare_heap(room); });
    }
}

int serve(const common_options& common) {
    // A reload that is asked for while we start must not end us: what is read now is as new as can be.
    std::signal(SIGHUP, SIG_IGN);
    const settings how = load_settings(common);
    const engine_grounds grounds = load_grounds(how);
    const territories& places = grounds.places;
    const redis::address& where = grounds.where;
    const system_time_source time;
    log_sink log(log_options_for(how.log, STDERR_FILENO, std::getenv("NO_COLOR") != nullptr), time);
    metrics numbers;
    health checks(time);
    metrics_shard& own_numbers = numbers.add_shard();
    own_numbers.gauge(metric::build_info, {version, commit}).set(1);

    engine all(how, where, places, known_platforms(), time, log, numbers, checks);
    prepare_heaps(all.executors());
    std::random_device entropy;
    const provider_runtime runtime{all.executors().front(), how.engine.threads, time, log, entropy()};
    provider_list providers = open_providers(how, runtime);
    current_providers current;
    current.replace(providers);
    checks.add_check("credentials", [&current] { return current.problems(); });
    all.set_providers(how, std::move(providers));
    // The engine stops on a thread of its own and takes its loops apart: who asks for lanes meanwhile, here
    // on the loop of the admin server, must not look at them.
    bool stopping = false;
    const auto lanes_now = [&all, &stopping] { return stopping ? std::vector<lane_status>() : all.lanes(); };
    checks.add_check("lanes", [lanes_now] { return paused_lanes(lanes_now()); });

    asio::io_context loop(1);
    // A connection of its own: nobody's push waits behind what people look at.
    redis::client live_redis(loop.get_executor(), where, time, log);
    live_sources sources;
    sources.health = [&checks] { return health_document("ready", checks.readiness()); };
    sources.lanes = [lanes_now] { return lanes_array(lanes_now()); };
    live_view live(
        loop.get_executor(), live_redis, keyspace(how.redis.prefix), places, time, log, how.engine.instance,
        std::move(sources));
    admin_server admin(loop.get_executor(), log);
    add_standard_routes(admin, checks, numbers);
    admin.route("GET", "/api/v1/lanes", [lanes_now](const admin_request&) {
        const boost::json::object document{{"lanes", lanes_array(lanes_now())}};
        return admin_response{200, "application/json", boost::json::serialize(document)};
    });
    add_live_routes(admin, live);
    add_page_routes(admin);
    for (const std::string& name : how.admin.hosts) {
        admin.accept_host(name);
    }
    if (!how.admin.listen.empty()) {
        value_or_end(admin.start(how.admin.listen), exit_failed, "admin.listen: ");
    }
    const sd_notifier manager(variable("NOTIFY_SOCKET"));

    std::jthread stopper;
    signal_callbacks on;
    on.stop = [&] {
        log.info("engine.stopping", {{"timeout_ms", how.engine.shutdown_timeout.count()}});
        log.expect_end();
        checks.shutting_down();
        stopping = true;
        static_cast<void>(manager.stopping());
        // On a thread of its own: /livez and a second signal are answered meanwhile.
        stopper = std::jthread([&] {
            all.stop();
            asio::post(loop, [&] {
                live.stop();
                loop.stop();
            });
        });
    };
    on.reload = [&] {
        if (stopping) {
            return;
        }
        static_cast<void>(manager.reloading(time.now()));
        auto [again, fresh] = reread(common, places, runtime);
        if (fresh.has_error()) {
            // All or nothing: the engine goes on with what it has.
            log.error("reload.refused", {{"key", fresh.error().code}, {"reason", fresh.error().message}});
        } else {
            log.set_level(log_level_from(again->log.level));
            current.replace(*fresh);
            all.set_providers(*again, std::move(*fresh));
            log.info("reload.done", {{"apps", again->apps.size()}});
        }
        static_cast<void>(manager.ready());
    };
    const signal_watch signals(loop.get_executor(), std::move(on));

    all.start();
    asio::co_spawn(loop, sample_credentials(current, own_numbers, time), asio::detached);
    if (const auto every =
            watchdog_interval(variable("WATCHDOG_USEC"), variable("WATCHDOG_PID"), ::getpid())) {
        asio::co_spawn(loop, feed_watchdog(manager, checks, *every), asio::detached);
    }
    asio::co_spawn(loop, live.run(), asio::detached);
    log.info(
        "engine.started", {{"version", version},
                           {"instance", how.engine.instance},
                           {"threads", how.engine.threads},
                           {"apps", how.apps.size()},
                           {"redis", where.describe()},
                           {"admin", how.admin.listen.empty() ? std::string("off") : admin.address()}});
    static_cast<void>(manager.ready());
    loop.run();
    if (stopper.joinable()) {
        stopper.join();
    }
    log.info("engine.stopped");
    return exit_ok;
}

}  // namespace

command serve_command() {
    return {
        .name = "serve",
        .group = command_group::run,
        .summary = "Run the engine.",
        .examples =
            "tocsin serve --config tocsin.toml\n"
            "TOCSIN_REDIS_URL=rediss://redis.example/0 tocsin serve\n",
        .details =
            "Runs until SIGTERM or SIGINT; SIGHUP reloads. The page [Run in "
            "production](../how-to/run-in-production.md#signals) says what each does.",
        .run = serve,
    };
}

}  // namespace tocsin::cli
