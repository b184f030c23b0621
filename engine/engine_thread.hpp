#pragma once

#include "engine/delivery/worker.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <future>
#include <memory>
#include <thread>

namespace tocsin {

/// One thread, one event loop, and everything that lives on it.
struct engine_thread {
    // A hint of 1 tells Asio that one thread runs the loop; other threads may still post to it.
    engine_thread() : context(1), keep_alive(boost::asio::make_work_guard(context)) {}
    engine_thread(const engine_thread&) = delete;
    engine_thread& operator=(const engine_thread&) = delete;
    ~engine_thread() { end(); }

    void begin() {
        thread = std::jthread([this] { context.run(); });
    }
    void end() {
        keep_alive.reset();
        context.stop();
        if (thread.joinable()) {
            thread.join();
        }
    }

    /// Runs `step` on the loop and waits for it. Not from the loop's own thread.
    template <class Step>
    void run(Step step) {
        std::promise<void> done;
        boost::asio::post(context, [&] {
            step();
            done.set_value();
        });
        done.get_future().wait();
    }

    boost::asio::io_context context;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_alive;
    // Destroyed before the context that their handlers wait in.
    std::unique_ptr<redis::client> redis;
    std::unique_ptr<worker> work;
    std::jthread thread;
};

}  // namespace tocsin
