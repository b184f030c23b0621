#include "engine/intake/intake_stream.hpp"

#include "engine/redis/error.hpp"
#include "engine/runtime/timer.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto error_pause = 250ms;
constexpr auto between_leases = 1s;
// So often in a row, some hundred milliseconds apart, is for good.
constexpr std::uint32_t max_failures = 4;
constexpr std::size_t max_remembered = 10'000;

/// Redis is there and did something else than what the entry needs: it may be the entry's own matter.
bool may_be_the_entry(error_code why) noexcept {
    return why == redis::redis_errc::unexpected_reply || why == redis::redis_errc::damaged ||
           why == redis::redis_errc::overloaded || why == redis::redis_errc::not_routable;
}

}  // namespace

std::string fields_as_json(const redis::stream_entry& entry) {
    boost::json::object out;
    if (entry.fields) {
        for (std::size_t i = 0; i + 1 < entry.fields->size(); i += 2) {
            out[(*entry.fields)[i].text()] = (*entry.fields)[i + 1].text();
        }
    }
    return boost::json::serialize(out);
}

asio::awaitable<void> intake_stream::run() {
    timer pause(co_await asio::this_coro::executor, time_);
    while (!stopping_) {
        const auto allowed = co_await to_.ask_to_read();
        if (stopping_) {
            co_return;
        }
        error_code failed;
        if (allowed.has_error()) {
            failed = allowed.error();
        } else if (*allowed == read_permission::denied) {
            reading_ = false;
            co_await pause.wait_for(between_leases);
            continue;
        } else {
            if (!std::exchange(reading_, true)) {
                from_.start_over();  // What the last reader left comes before what is new.
            }
            auto batch = co_await from_.next();
            if (stopping_) {
                co_return;
            }
            if (batch.has_error()) {
                failed = batch.error();
            } else if (const auto handled = co_await handle(batch->entries); handled.has_error()) {
                failed = handled.error();
            }
        }
        if (failed) {
            log_.warning("intake.interrupted", {{"stream", to_.stream()}, {"error", failed.message()}});
            from_.start_over();
            co_await pause.wait_for(error_pause);
        }
    }
}

// All together if that works; else one by one, so that whoever is at fault holds up nobody else.
asio::awaitable<result<>> intake_stream::handle(std::vector<redis::stream_entry>& entries) {
    if (entries.empty()) {
        co_return result<>();
    }
    result<> handled = co_await to_.handle(entries);
    if (handled.has_value()) {
        if (!failures_.empty()) {
            failures_.clear();
        }
        co_return handled;
    }
    if (!may_be_the_entry(handled.error())) {
        co_return handled;
    }
    for (redis::stream_entry& entry : entries) {
        const result<> one = co_await handle_alone(entry);
        if (stopping_) {
            co_return one;
        }
        if (one.has_error()) {
            handled = one;
            if (!may_be_the_entry(one.error())) {
                co_return one;
            }
        }
    }
    co_return handled;
}

asio::awaitable<result<>> intake_stream::handle_alone(redis::stream_entry& entry) {
    std::vector<redis::stream_entry> alone;
    alone.push_back(entry);
    const result<> handled = co_await to_.handle(alone);
    if (handled.has_value()) {
        failures_.erase(entry.id);
        co_return handled;
    }
    if (!may_be_the_entry(handled.error())) {
        co_return handled;
    }
    if (failures_.size() >= max_remembered) {
        failures_.clear();
    }
    if (++failures_[entry.id] < max_failures) {
        co_return handled;
    }
    const result<> aside = co_await put_aside(entry, handled.error());
    if (aside.has_value()) {
        failures_.erase(entry.id);
    }
    co_return aside;
}

asio::awaitable<result<>> intake_stream::put_aside(const redis::stream_entry& entry, error_code why) {
    refusal reason{
        "cannot_be_handled", "Redis did not do what this entry asks for, " + std::to_string(max_failures) +
                                 " times in a row, while others were handled: " + why.message() + "."};
    log_.error(
        "intake.put_aside", {{"stream", to_.stream()}, {"entry", entry.id}, {"reason", reason.message}});
    // The document itself, as every other letter has it, so that it can be put back.
    const bool one_field = entry.fields && entry.fields->size() == 2;
    std::string payload = one_field ? std::string((*entry.fields)[1].text()) : fields_as_json(entry);
    co_return co_await letters_.post(key_, entry.id, std::move(reason), std::move(payload));
}

}  // namespace tocsin
