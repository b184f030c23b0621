#include "tools/simulator/worker.hpp"

#include "tools/simulator/chance.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace tocsin::sim {

namespace asio = boost::asio;

worker::worker(shared_state& shared, std::shared_ptr<const behaviour> initial, std::uint64_t number)
    : current_(std::move(initial)),
      scratch_(std::make_unique<scratch_space>()),
      endpoints_{
          endpoint(provider::apns, shared), endpoint(provider::sandbox, shared),
          endpoint(provider::fcm, shared), endpoint(provider::webpush, shared)},
      chance_(scramble(current_->seed ^ number << 32U)),
      context_(1),
      beat_(context_, shared.options.gather) {
    for (endpoint& one : endpoints_) {
        one.scratch = scratch_.get();
        one.pool = &pool_;
        one.beat = &beat_;
        one.current = current_.get();
    }
}

void worker::start() {
    keep_alive_.emplace(asio::make_work_guard(context_));
    thread_ = std::jthread([this] { context_.run(); });
}

void worker::stop() noexcept {
    if (!thread_.joinable()) {
        return;
    }
    asio::post(context_, [this] {
        for (const auto& one : open_connections()) {
            one->cut();
        }
    });
    keep_alive_.reset();
    thread_.join();
}

void worker::adopt(provider plays, asio::ip::tcp::socket socket) {
    asio::post(context_, [this, plays, accepted = std::move(socket)]() mutable {
        serve(plays, std::move(accepted));
    });
}

void worker::serve(provider plays, asio::ip::tcp::socket socket) {
    auto made = std::make_shared<h2_connection>(
        std::move(socket), endpoints_[static_cast<std::size_t>(plays)], chance_ = scramble(chance_),
        [this](h2_connection& closed) { connections_.erase(&closed); });
    connections_.emplace(made.get(), made);
    made->start();
}

void worker::apply(std::shared_ptr<const behaviour> next, const std::vector<action>& now, std::latch& done) {
    asio::post(context_, [this, taken = std::move(next), now, &done] {
        current_ = taken;
        for (endpoint& one : endpoints_) {
            one.current = current_.get();
        }
        for (const auto& connection : open_connections()) {
            connection->behaviour_changed();
            for (const action& wanted : now) {
                connection->perform(wanted);
            }
        }
        done.count_down();
    });
}

std::vector<std::shared_ptr<h2_connection>> worker::open_connections() const {
    // A copy: a connection that closes leaves the map.
    std::vector<std::shared_ptr<h2_connection>> out;
    out.reserve(connections_.size());
    for (const auto& [key, connection] : connections_) {
        out.push_back(connection);
    }
    return out;
}

}  // namespace tocsin::sim
