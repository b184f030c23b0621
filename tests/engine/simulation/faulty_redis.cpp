#include "tests/engine/simulation/faulty_redis.hpp"

#include "engine/redis/error.hpp"
#include "engine/redis/reply_reader.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <string_view>
#include <utility>

namespace tocsin::testing {

namespace asio = boost::asio;
using redis::redis_errc;

namespace {

redis::replies refusals(std::size_t count) {
    constexpr std::array<std::string_view, 3> words{
        "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        "-READONLY You can't write against a read only replica.\r\n",
        "-BUSY Redis is busy running a script.\r\n"};
    redis::replies out;
    redis::reply_reader reader;
    for (std::size_t i = 0; i < count; ++i) {
        reader.feed(words[count % words.size()]);
        static_cast<void>(reader.next(out));
    }
    return out;
}

/// As redis::pipeline has it.
bool is_of_a_replica(const redis::replies& answers) {
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (answers[i].is_error() &&
            answers[i].text().find("READONLY You can't write") != std::string_view::npos) {
            return true;
        }
    }
    return false;
}

}  // namespace

redis::replies faulty_redis::ask(redis::request what) {
    where_.let_arrive(*through_);
    return through_->ask(std::move(what));
}

asio::awaitable<result<redis::replies>> faulty_redis::execute(redis::request what) {
    if (what.empty()) {
        co_return redis::replies();
    }
    const auto mine = std::make_shared<call>(executor_, std::move(what), time_.now());
    calls_.push_back(mine);
    while (!mine->answer) {
        co_await mine->signal.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return std::move(*mine->answer);
}

bool faulty_redis::ready(bool news) const {
    return !calls_.empty() && time_.now() >= held_until_ &&
           (news || !calls_.front()->waits_for_news || calls_.front()->answered_at <= time_.now());
}

void faulty_redis::end(call& which, result<redis::replies> how) {
    which.answer.emplace(std::move(how));
    which.signal.cancel();
}

bool faulty_redis::perform(mishap what, late_requests& later) {
    const auto first = std::move(calls_.front());
    calls_.pop_front();
    bool demoted = false;
    switch (what) {
        case mishap::none: {
            redis::replies answers = ask(std::move(first->what));
            demoted = is_of_a_replica(answers);
            if (!demoted) {
                end(*first, std::move(answers));
                return true;
            }
            break;
        }
        case mishap::refused: end(*first, refusals(first->what.count())); return true;
        case mishap::unreachable: end(*first, redis_errc::unreachable); return true;
        case mishap::lost: break;
        case mishap::reply_lost: static_cast<void>(ask(std::move(first->what))); break;
        case mishap::runs_later:
            later.push_back({through_, {}});
            later.back().requests.push_back(std::move(first->what));
            break;
    }
    end(*first, redis_errc::connection_lost);
    for (const auto& behind : std::exchange(calls_, {})) {
        if (what == mishap::runs_later) {
            later.back().requests.push_back(std::move(behind->what));
        }
        end(*behind, redis_errc::connection_lost);
    }
    through_ = &where_.server();
    return !demoted;
}

void faulty_redis::break_off() {
    for (const auto& lost : std::exchange(calls_, {})) {
        end(*lost, redis_errc::connection_lost);
    }
    through_ = &where_.server();
}

void faulty_redis::die(std::size_t arrive, late_requests& later) {
    if (arrive > 0 && !calls_.empty()) {
        later.push_back({through_, {}});
    }
    for (; arrive > 0 && !calls_.empty(); --arrive) {
        later.back().requests.push_back(std::move(calls_.front()->what));
        calls_.pop_front();
    }
    calls_.clear();
}

}  // namespace tocsin::testing
