#include "tests/engine/simulation/simulated_engine.hpp"

#include "engine/control/control_board.hpp"
#include "engine/intake/event_intake.hpp"
#include "providers/known_platforms.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace tocsin::testing {
namespace {

namespace asio = boost::asio;

store_sizing sizing_of(const territories& places) {
    return {
        [&places](commune_id commune) { return places.population(commune); },
        [&places](std::string_view) { return places.total_population(); }};
}

}  // namespace

simulated_engine::simulated_engine(const surroundings& world, engine_settings how)
    : time_(world.time),
      how_(std::move(how)),
      connections_([&] {
          // Intake's, the control watch's, and everybody else's; the workers' follow.
          std::vector<std::unique_ptr<faulty_redis>> out;
          for (int i = 0; i < 3; ++i) {
              out.push_back(std::make_unique<faulty_redis>(context_.get_executor(), world.time, world.redis));
          }
          return out;
      }()),
      preparer_(world.places, known_platforms(), event_limits{}, world.time),
      store_(*connections_[2], world.keys, known_platforms(), sizing_of(world.places)),
      book_(*connections_[2], world.keys, how_.instance),
      letters_(*connections_[2], world.keys, how_.dead_letters_max_length, shard_),
      board_(*connections_[2], world.keys),
      finder_(
          context_.get_executor(), *connections_[2], store_, letters_, preparer_, how_, world.time, world.log,
          shard_, *this),
      desk_(
          context_.get_executor(), book_, store_, letters_, preparer_, world.time, world.log, shard_, *this),
      stream_in_(
          *connections_[0],
          std::make_unique<event_intake>(
              book_, store_, letters_, preparer_, desk_, world.time, world.log, shard_, *this),
          world.keys, how_, letters_, world.time, world.log),
      controls_(*connections_[1], world.keys, world.time, world.log, *this),
      controls_heard_(context_.get_executor(), world.time) {
    served_app app;
    app.id = "mairies";
    app.everywhere = true;
    std::vector<std::shared_ptr<provider>> providers;
    for (const platform on : world.platforms) {
        providers.push_back(std::make_shared<imagined_provider>(on, channels_));
        app.platforms.emplace(on, providers.back());
    }
    preparer_.set_apps({app});
    preparer_.set_quiet_hours(world.quiet);
    for (std::size_t i = 0; i < how_.threads; ++i) {
        make_worker(world, i);
        workers_.back()->set_providers(providers, {}, preparer_.generation());
    }
    asio::co_spawn(context_, find_work(), asio::detached);
    asio::co_spawn(context_, stream_in_.run(), asio::detached);
    asio::co_spawn(context_, controls_.run(), asio::detached);
    asio::co_spawn(context_, watch(), asio::detached);
}

simulated_engine::~simulated_engine() {
    // As in an engine: whoever still waits is destroyed with the loop, after the workers.
    workers_.clear();
}

void simulated_engine::make_worker(const surroundings& world, std::size_t thread) {
    connections_.push_back(std::make_unique<faulty_redis>(context_.get_executor(), world.time, world.redis));
    workers_.push_back(std::make_unique<worker>(
        context_.get_executor(), thread, *connections_.back(), world.keys, sizing_of(world.places),
        known_platforms(), how_, world.time, world.log, numbers_.add_shard(), *this));
}

void simulated_engine::assign(
    std::size_t thread, std::shared_ptr<active_event> event, const target& which, claimed_shard work) {
    asio::post(
        context_,
        [to = workers_[thread].get(), event = std::move(event), which, work = std::move(work)]() mutable {
            to->assign(std::move(event), which, std::move(work));
        });
}

void simulated_engine::shard_left(shard_ticket which) {
    asio::post(context_, [this, one = std::move(which)] { finder_.shard_left(one); });
}

void simulated_engine::event_drained(std::string event) {
    asio::post(context_, [this, id = std::move(event)] { finder_.drained(id); });
}

void simulated_engine::quota_used_up(std::string quota, wall_time until) {
    asio::co_spawn(
        context_, board_.hold_quota(std::move(quota), until), [](const std::exception_ptr&, result<>) {});
}

void simulated_engine::devices_removed(const std::vector<removed_device>& gone) {
    for (const auto& one : workers_) {
        one->forget(gone);
    }
}

void simulated_engine::controls_changed(const control_state& state) {
    cancelling_.insert(state.cancelling.begin(), state.cancelling.end());
    finder_.set_cancelling(state.cancelling);
    for (const auto& one : workers_) {
        one->set_controls(state);
    }
    controls_known_ = true;
    controls_heard_.wake_all();
}

asio::awaitable<void> simulated_engine::find_work() {
    while (!controls_known_ && !stopping_) {
        co_await controls_heard_.wait();
    }
    co_await finder_.run();
    finder_done_ = true;
}

asio::awaitable<void> simulated_engine::watch() {
    timer tick(context_.get_executor(), time_);
    while (!stopping_) {
        co_await tick.wait_for(std::chrono::seconds(1));
        if (!stopping_) {
            co_await desk_.look();
        }
    }
}

void simulated_engine::run() {
    context_.restart();
    while (context_.poll() != 0) {
    }
}

void simulated_engine::renew_leases() {
    for (const auto& one : workers_) {
        asio::co_spawn(context_, one->renew_leases(), asio::detached);
    }
}

void simulated_engine::work_off(const std::function<verdict(const push&)>& answer, late_requests& lost) {
    for (bool more = true; more;) {
        more = false;
        run();
        for (const auto& connection : connections_) {
            if (connection->ready(true)) {
                connection->perform(mishap::none, lost);
                more = connection->ready(false) || more;
            }
        }
        run();
        const auto channels = channels_;
        for (imagined_channel* const one : channels) {
            while (one->may_take()) {
                if (const push* const item = one->take(time_.now())) {
                    one->answer(0, answer(*item), time_.now());
                }
                more = true;
            }
        }
    }
}

void simulated_engine::stop() {
    stopping_ = true;
    stream_in_.stop();
    desk_.stop();
    controls_.stop();
    finder_.stop();
    controls_heard_.wake_all();
    asio::co_spawn(context_, leave(), asio::detached);
}

asio::awaitable<void> simulated_engine::leave() {
    const time_point deadline = time_.now() + how_.shutdown_timeout;
    for (const auto& one : workers_) {
        co_await one->stop(deadline, deadline + std::chrono::seconds(5));
    }
    timer pause(context_.get_executor(), time_);
    while (!finder_done_ && time_.now() < deadline) {
        co_await pause.wait_for(std::chrono::milliseconds(100));
    }
    stopped_ = true;
}

}  // namespace tocsin::testing
