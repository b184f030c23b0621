#include "engine/name_watch.hpp"

#include "engine/redis/request.hpp"

#include <utility>

namespace tocsin {
namespace {

constexpr int stays_seconds = 10;

}  // namespace

name_watch::name_watch(
    redis::client& redis, const keyspace& keys, std::string name, std::string word, logger& log)
    : redis_(redis), name_(std::move(name)), key_(keys.instance(name_)), word_(std::move(word)), log_(log) {}

boost::asio::awaitable<void> name_watch::look() {
    redis::request ask("SET", key_, word_, "GET", "EX", stays_seconds);
    const auto answer = co_await redis_.execute(std::move(ask));
    if (answer.has_error() || answer->front().is_error()) {
        co_return;
    }
    const redis::reply before = answer->front();
    const bool others = !before.is_nil() && before.text() != word_;
    const bool first = !std::exchange(looked_, true);
    if (!others || first) {
        shared_ = false;
        co_return;
    }
    if (!std::exchange(shared_, true)) {
        log_.error(
            "engine.name_shared",
            {{"instance", name_},
             {"problem",
              "Another engine runs under this name: give each an engine.instance of its own, or "
              "devices are sent to twice."}});
    }
}

}  // namespace tocsin
