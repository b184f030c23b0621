#include "engine/engine.hpp"

#include "engine/audience/compact_form.hpp"
#include "engine/engine_implementation.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <chrono>
#include <future>
#include <iterator>
#include <map>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto tick = 1s;
constexpr auto between_looks = 500ms;
// Of the time that a stop may take, what is kept to hand work back in; no more than a quarter of it.
constexpr std::chrono::milliseconds longest_handing_back = 2s;

}  // namespace

engine::engine(
    settings how, redis::address where, const territories& places, platform_set platforms,
    const time_source& time, logger& log, metrics& numbers, health& checks)
    : implementation_(std::make_unique<implementation>(
          std::move(how), std::move(where), places, platforms, time, log, numbers, checks)) {
    implementation& self = *implementation_;
    for (std::size_t i = 0; i < self.how.engine.threads; ++i) {
        self.make_thread(i);
    }
    self.make_control();
    for (auto& one : self.threads) {
        one->begin();
    }
}

engine::~engine() {
    stop();
}

std::vector<asio::any_io_executor> engine::executors() const {
    std::vector<asio::any_io_executor> out;
    for (const auto& one : implementation_->threads) {
        out.emplace_back(one->context.get_executor());
    }
    return out;
}

void engine::set_providers(const settings& apps, std::vector<std::shared_ptr<provider>> providers) {
    implementation& self = *implementation_;
    const std::map<target, std::uint64_t> rates = configured_rates(apps);
    std::vector<served_app> served = served_apps(apps, providers);
    // The workers first: no event may be planned for an app that they do not know yet.
    const std::uint64_t generation = ++self.generation;
    for (auto& one : self.threads) {
        one->run([&] { one->work->set_providers(providers, rates, generation); });
    }
    self.threads.front()->run([&] {
        self.how.apps = apps.apps;
        self.preparer.set_apps(std::move(served));
        // Whoever read the configuration has made sure that they can be had.
        if (auto hours = quiet_hours::make(apps.quiet_hours); hours.has_value()) {
            self.preparer.set_quiet_hours(std::move(*hours));
        }
        if (self.started) {
            // What was said at the terminal holds until the configuration speaks again.
            asio::co_spawn(
                self.threads.front()->context, self.board->forget_rates(),
                [](const std::exception_ptr&, result<>) {});
        }
    });
}

void engine::start() {
    implementation& self = *implementation_;
    self.started = true;
    auto& first = self.threads.front()->context;
    self.coordinator_done = asio::co_spawn(first, self.find_work(), asio::use_future);
    for (auto& one : self.streams) {
        asio::co_spawn(first, one->run(), asio::detached);
    }
    asio::co_spawn(first, self.controls->run(), asio::detached);
    asio::co_spawn(first, prefer_compact_rosters(*self.control_redis, self.log), asio::detached);
    using how = implementation;
    asio::co_spawn(first, self.every(tick, &how::look_around), asio::detached);
    asio::co_spawn(first, self.every(tick, &how::keep_schedule), asio::detached);
    asio::co_spawn(first, self.every(tick, &how::keep_receipts), asio::detached);
    asio::co_spawn(first, self.every(self.how.engine.lease / 3, &how::keep_leases), asio::detached);
    asio::co_spawn(first, self.every(between_looks, &how::watch_connection), asio::detached);
    asio::co_spawn(first, self.every(tick, &how::watch_followers), asio::detached);
    asio::co_spawn(first, self.every(tick, &how::watch_removals), asio::detached);
}

void engine::stop() {
    implementation& self = *implementation_;
    if (std::exchange(self.stopped, true)) {
        return;
    }
    engine_thread& first = *self.threads.front();
    const auto timeout = self.how.engine.shutdown_timeout;
    const time_point end = self.time.now() + timeout;
    const time_point answers_until = end - std::min(longest_handing_back, timeout / 4);
    if (self.started) {
        self.stopping = true;
        first.run([&self] {
            for (auto& stream : self.streams) {
                stream->stop();
            }
            self.desk->stop();
            self.controls->stop();
            self.work_finder->stop();
            self.controls_heard->notify_all();
            for (auto& one : self.readers) {
                one->close();
            }
        });
        std::vector<std::future<void>> stopping;
        for (auto& one : self.threads) {
            stopping.push_back(
                asio::co_spawn(one->context, one->work->stop(answers_until, end), asio::use_future));
        }
        for (auto& done : stopping) {
            done.wait();
        }
        self.coordinator_done.wait_for(end - self.time.now());
        const auto left = asio::co_spawn(first.context, self.leave_streams(), asio::use_future);
        left.wait_for(end - self.time.now());
    }
    for (auto& one : self.threads) {
        one->end();
    }
    // Providers live on the first loop: everything that holds one goes before that loop does.
    self.streams.clear();
    self.desk.reset();
    self.controls.reset();
    self.controls_heard.reset();
    self.board.reset();
    self.work_finder.reset();
    self.watch.reset();
    self.preparer.set_apps({});
    for (auto& one : self.threads) {
        one->work.reset();
    }
    while (self.threads.size() > 1) {
        self.threads.pop_back();
    }
}

std::vector<lane_status> engine::lanes() const {
    std::vector<lane_status> out;
    // A loop that has ended answers nobody: whoever asks during a shutdown gets what there is in time.
    std::vector<std::future<std::vector<lane_status>>> answers;
    for (const auto& one : implementation_->threads) {
        auto promise = std::make_shared<std::promise<std::vector<lane_status>>>();
        answers.push_back(promise->get_future());
        asio::post(one->context, [work = one->work.get(), promise] { promise->set_value(work->status()); });
    }
    const auto patience = std::chrono::steady_clock::now() + 2s;
    for (auto& answer : answers) {
        if (answer.wait_until(patience) == std::future_status::ready) {
            auto here = answer.get();
            out.insert(out.end(), std::make_move_iterator(here.begin()), std::make_move_iterator(here.end()));
        }
    }
    return out;
}

}  // namespace tocsin
