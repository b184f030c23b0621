#include "engine/intake/intake_stream.hpp"

#include "engine/redis/check.hpp"
#include "engine/runtime/timer.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// Between two tries of what failed.
constexpr auto between_rounds = 250ms;
constexpr auto between_leases = 1s;
// In so many rounds in a row, while the work of others was done, is for good.
constexpr std::uint32_t max_failures = 4;

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

intake_stream::intake_stream(
    redis::client& from, std::unique_ptr<entry_handler> to, const keyspace& keys, const engine_settings& how,
    dead_letters& letters, const time_source& time, logger& log, std::size_t room_for_suspects)
    : to_(std::move(to)),
      key_(to_->stream().key_in(keys)),
      from_(
          from,
          {.stream = key_,
           .group = std::string(keyspace::group),
           .consumer = how.instance,
           .count = to_->batch_size(),
           .takeover = to_->takeover(how.lease)},
          time),
      letters_(letters),
      time_(time),
      log_(log),
      room_for_suspects_(room_for_suspects) {}

asio::awaitable<void> intake_stream::run() {
    timer pause(co_await asio::this_coro::executor, time_);
    while (!stopping_) {
        const auto allowed = co_await to_->ask_to_read();
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
        } else if (const auto went = co_await read(); went.has_error()) {
            failed = went.error();
        }
        if (stopping_) {
            co_return;
        }
        if (failed) {
            log_.warning("intake.interrupted", {{"stream", to_->stream().name}, {"error", failed.message()}});
            from_.start_over();
            begin_round();
            co_await pause.wait_for(between_rounds);
        } else if (crowded_) {
            co_await pause.wait_until(next_round_);
        }
    }
}

asio::awaitable<result<>> intake_stream::read() {
    // What the last reader left comes before what is new.
    if (!std::exchange(reading_, true)) {
        from_.start_over();
        begin_round();
    } else if (round_is_over()) {
        forget_what_is_no_longer_pending();
        from_.read_its_own();
        begin_round();
    }
    auto at_most = std::chrono::milliseconds::max();
    if (!suspects_.empty() || not_remembered_ != 0) {
        at_most = std::chrono::ceil<std::chrono::milliseconds>(
            std::max<duration>(next_round_ - time_.now(), duration::zero()));
    }
    auto batch = co_await from_.next(at_most);
    if (batch.has_error()) {
        co_return batch.error();
    }
    asked_for_new_ = asked_for_new_ || batch->fresh;
    if (stopping_ || batch->entries.empty()) {
        co_return result<>();
    }
    const std::size_t before = not_remembered_;
    const result<> went = co_await handle(batch->entries);
    crowded_ = batch->fresh && not_remembered_ != before;
    co_return went;
}

bool intake_stream::round_is_over() const {
    return (!suspects_.empty() || not_remembered_ != 0) && asked_for_new_ && time_.now() >= next_round_;
}

void intake_stream::begin_round() {
    ++round_;
    next_round_ = time_.now() + between_rounds;
    not_remembered_ = 0;
    asked_for_new_ = false;
    crowded_ = false;
}

void intake_stream::forget_what_is_no_longer_pending() {
    std::erase_if(suspects_, [this](const auto& one) { return one.second.round != round_; });
}

// All together if that works; else one by one, so that one that fails holds up nobody else.
asio::awaitable<result<>> intake_stream::handle(std::vector<redis::stream_entry>& entries) {
    const result<> together = co_await to_->handle(entries);
    if (together.has_value()) {
        handled_ += entries.size();
        for (auto entry = entries.begin(); !suspects_.empty() && entry != entries.end(); ++entry) {
            suspects_.erase(entry->id);
        }
        co_return together;
    }
    if (!redis::may_be_the_keys(together.error())) {
        co_return together;
    }
    log_.warning(
        "intake.interrupted", {{"stream", to_->stream().name}, {"error", together.error().message()}});
    for (redis::stream_entry& entry : entries) {
        const result<> alone = co_await handle_alone(entry);
        if (stopping_ || alone.has_error()) {
            co_return alone;
        }
    }
    co_return result<>();
}

asio::awaitable<result<>> intake_stream::handle_alone(redis::stream_entry& entry) {
    std::vector<redis::stream_entry> alone;
    alone.push_back(entry);
    const result<> handled = co_await to_->handle(alone);
    if (handled.has_value()) {
        ++handled_;
        suspects_.erase(entry.id);
        co_return handled;
    }
    if (!redis::may_be_the_keys(handled.error())) {
        co_return handled;
    }
    co_return co_await suspect(entry, handled.error());
}

asio::awaitable<result<>> intake_stream::suspect(const redis::stream_entry& entry, error_code why) {
    if (suspects_.size() >= room_for_suspects_ && !suspects_.contains(entry.id)) {
        ++not_remembered_;  // It stays pending, and is tried again.
        co_return result<>();
    }
    suspicion& one = suspects_[entry.id];
    if (one.failures == 0) {
        one.handled_before = handled_;
    }
    if (one.failures == 0 || one.round != round_) {
        ++one.failures;
        one.round = round_;
    }
    if (one.failures < max_failures || handled_ == one.handled_before) {
        co_return result<>();
    }
    const result<> aside = co_await put_aside(entry, why);
    if (aside.has_value()) {
        suspects_.erase(entry.id);
    }
    co_return aside;
}

asio::awaitable<result<>> intake_stream::put_aside(const redis::stream_entry& entry, error_code why) {
    refusal reason{
        "cannot_be_handled", "Redis did not do what this entry asks for, " + std::to_string(max_failures) +
                                 " times in a row, while others were handled: " + why.message() + "."};
    log_.error(
        "intake.put_aside",
        {{"stream", to_->stream().name}, {"entry", entry.id}, {"reason", reason.message}});
    // The document itself, as every other letter has it, so that it can be put back.
    const bool one_field = entry.fields && entry.fields->size() == 2;
    std::string payload = one_field ? std::string((*entry.fields)[1].text()) : fields_as_json(entry);
    co_return co_await letters_.post(key_, entry.id, std::move(reason), std::move(payload));
}

}  // namespace tocsin
