#include "engine/ops/signals.hpp"

#include "engine/core/error.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

namespace tocsin {

struct signal_watch::implementation {
    implementation(boost::asio::any_io_executor executor, signal_callbacks given)
        : target(std::move(executor)), callbacks(std::move(given)) {
        if (!callbacks.exit_now) {
            callbacks.exit_now = [](int code) { std::_Exit(code); };
        }
        wait();
        thread = std::jthread([this] { loop.run(); });
    }

    ~implementation() {
        loop.stop();
        thread.join();
    }

    void wait() {
        signals.async_wait([this](error_code problem, int number) {
            if (problem) {
                return;
            }
            on_signal(number);
            wait();
        });
    }

    void on_signal(int number) {
        if (number == SIGHUP) {
            if (callbacks.reload) {
                boost::asio::post(target, callbacks.reload);
            }
        } else if (!std::exchange(stopping, true)) {
            boost::asio::post(target, callbacks.stop);
        } else {
            callbacks.exit_now(128 + number);
        }
    }

    boost::asio::any_io_executor target;
    signal_callbacks callbacks;
    boost::asio::io_context loop{1};
    boost::asio::signal_set signals{loop, SIGTERM, SIGINT, SIGHUP};
    bool stopping = false;
    std::jthread thread;
};

signal_watch::signal_watch(boost::asio::any_io_executor executor, signal_callbacks callbacks) {
    std::signal(SIGPIPE, SIG_IGN);
    implementation_ = std::make_unique<implementation>(std::move(executor), std::move(callbacks));
}

signal_watch::~signal_watch() = default;

}  // namespace tocsin
