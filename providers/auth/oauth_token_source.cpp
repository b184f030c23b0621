#include "providers/auth/oauth_token_source.hpp"

#include "providers/auth/account_token.hpp"
#include "providers/auth/oauth_schedule.hpp"
#include "providers/common/peer_clock.hpp"
#include "providers/common/signing_moment.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

namespace tocsin::auth {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// A request is written some time after it took its token; an answer about it must not be read as
// one about the token that came in between.
constexpr auto hand_over = 1s;
// A token that is refused this soon was never good. One more is asked for; if that is refused as well, asking
// again would only loop.
constexpr auto proving_time = 60s;

}  // namespace

struct oauth_token_source::subscriber {
    asio::any_io_executor executor;
    std::function<void()> on_token;
    bool active = true;  // Touched on the executor's thread alone.
};

class oauth_token_source::implementation : public std::enable_shared_from_this<implementation> {
public:
    implementation(
        asio::any_io_executor executor, service_account account, std::shared_ptr<const net::tls_context> tls,
        const time_source& time, logger& log, std::uint64_t random_seed)
        : executor_(std::move(executor)),
          account_(std::move(account)),
          tls_(std::move(tls)),
          time_(time),
          log_(log),
          schedule_(time.now(), random_seed),
          timer_(executor_) {}

    void start() {
        if (started_.exchange(true)) {
            return;
        }
        asio::post(executor_, [self = shared_from_this()] {
            if (!self->stopped_) {
                asio::co_spawn(
                    self->executor_, self->run(),
                    asio::bind_cancellation_slot(self->cancel_.slot(), [self](const std::exception_ptr&) {}));
            }
        });
    }

    void stop() {
        asio::post(executor_, [self = shared_from_this()] {
            self->stopped_ = true;
            self->timer_.cancel();
            self->cancel_.emit(asio::cancellation_type::terminal);
        });
    }

    void add(const std::shared_ptr<subscriber>& reader) {
        const std::scoped_lock lock(mutex_);
        std::erase_if(readers_, [](const auto& entry) { return entry.expired(); });
        readers_.push_back(reader);
    }

    renewal refresh(time_point written_at, time_point now) {
        const std::scoped_lock lock(mutex_);
        const auto token = slot_.load();
        if (token == nullptr || (had_another_ && written_at < token->valid_from + hand_over)) {
            return renewal::not_needed;
        }
        const bool tried = had_another_ && now - renewed_at_ < proving_time;
        if (tried && now - token->valid_from < proving_time) {
            return renewal::too_young;
        }
        renewed_at_ = now;
        had_another_ = true;
        slot_.store(nullptr);
        asio::post(executor_, [self = shared_from_this()] {
            self->schedule_.hurry(self->time_.now());
            self->timer_.cancel();
        });
        return renewal::renewed;
    }

    credential_state state() const {
        const std::scoped_lock lock(mutex_);
        credential_state out;
        if (const auto token = slot_.load()) {
            out.issued_at = token->issued_at;
            out.expires_at = token->expires_at;
        } else if (started_) {
            out.usable = false;
            out.problem = problem_.empty() ? "waiting for the first access token of " + account_.client_email
                                           : problem_;
        }
        return out;
    }

    token_slot slot_;

private:
    asio::awaitable<void> run() {
        // Keeps this alive until the coroutine has unwound.
        const auto self = shared_from_this();
        while (!stopped_) {
            const time_point now = time_.now();
            withdraw_if_dead();
            ask_if_clock_was_set(now);
            if (schedule_.due() > now) {
                timer_.expires_after(
                    std::min({schedule_.due() - now, time_to_live(), duration(clock_look_interval)}));
                // Cancelled when a token died early or when it is time to stop: both are seen above.
                co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
                continue;
            }
            asked_ = signing_moment::now(time_);
            const wall_time asked_at = asked_.time_of_day;
            const auto outcome = co_await request_account_token(account_, *tls_, time_, asked_at);
            if (stopped_) {
                co_return;
            }
            endpoints_clock_.compare(
                outcome.has_value() ? outcome->clock_ahead : outcome.error().clock_ahead,
                account_.token_endpoint.authority, log_);
            if (outcome.has_value()) {
                publish(*outcome, asked_at);
            } else {
                note(outcome.error());
            }
        }
    }

    /// What was asked for by a clock that has been set since is asked for again: a refusal may have been the
    /// clock's fault, and a token's end is not where we think. The token there is serves until then.
    void ask_if_clock_was_set(time_point now) {
        const wall_time time_of_day = time_.wall_now();
        if (asked_.at == time_point{} || !clock_was_set(asked_, now, time_of_day)) {
            return;
        }
        log_.warning(
            "oauth.clock_was_set", {{"account", account_.client_email},
                                    {"by_seconds", clock_step(asked_, now, time_of_day).count() / 1000}});
        asked_ = {now, time_of_day};
        schedule_.clock_was_set(now);
    }

    void publish(const token_grant& grant, wall_time asked_at) {
        auto token = std::make_shared<issued_token>();
        token->authorization = "Bearer " + grant.access_token;
        token->issued_at = asked_at;
        token->valid_from = time_.now();
        // Counted from the question, not from the answer: never later than Google counts.
        token->expires_at = asked_at + grant.lifetime;
        dies_at_ = token->valid_from + grant.lifetime;
        schedule_.succeeded(token->valid_from, grant.lifetime);
        std::vector<std::shared_ptr<subscriber>> waiting;
        {
            const std::scoped_lock lock(mutex_);
            problem_.clear();
            had_another_ = had_another_ || slot_.load() != nullptr;
            slot_.store(std::move(token));
            for (const auto& entry : readers_) {
                if (auto reader = entry.lock()) {
                    waiting.push_back(std::move(reader));
                }
            }
        }
        log_.info(
            "oauth.token",
            {{"account", account_.client_email}, {"lifetime_seconds", grant.lifetime.count()}});
        for (const auto& reader : waiting) {
            asio::post(reader->executor, [reader] {
                if (reader->active) {
                    reader->on_token();
                }
            });
        }
    }

    void note(const exchange_problem& problem) {
        if (problem.configuration) {
            schedule_.refused(time_.now());
            log_.error("oauth.refused", {{"account", account_.client_email}, {"problem", problem.sentence}});
        } else {
            schedule_.failed(time_.now(), problem.retry_after);
            log_.warning("oauth.failed", {{"account", account_.client_email}, {"problem", problem.sentence}});
        }
        const std::scoped_lock lock(mutex_);
        problem_ = problem.sentence;
    }

    void withdraw_if_dead() {
        const std::scoped_lock lock(mutex_);
        if (const auto token = slot_.load(); token != nullptr && time_.now() >= dies_at_) {
            slot_.store(nullptr);
        }
    }

    [[nodiscard]] duration time_to_live() const {
        const time_point now = time_.now();
        return slot_.load() != nullptr && dies_at_ > now ? dies_at_ - now : duration::max();
    }

    const asio::any_io_executor executor_;
    const service_account account_;
    const std::shared_ptr<const net::tls_context> tls_;
    const time_source& time_;
    logger& log_;
    std::atomic<bool> started_{false};

    // Of the executor's thread.
    oauth_schedule schedule_;
    asio::steady_timer timer_;
    asio::cancellation_signal cancel_;
    peer_clock endpoints_clock_;
    signing_moment asked_;  ///< When the last assertion was signed.
    time_point dies_at_{};
    bool stopped_ = false;

    mutable std::mutex mutex_;  // Guards what follows, and changes of the slot.
    std::string problem_;
    bool had_another_ = false;  // A request may carry the token before this one.
    time_point renewed_at_{};   // When a token was last given up because it was refused.
    std::vector<std::weak_ptr<subscriber>> readers_;
};

oauth_token_source::oauth_token_source(
    asio::any_io_executor executor, service_account account, std::shared_ptr<const net::tls_context> tls,
    const time_source& time, logger& log, std::uint64_t random_seed)
    : implementation_(std::make_shared<implementation>(
          std::move(executor), std::move(account), std::move(tls), time, log, random_seed)) {}

oauth_token_source::~oauth_token_source() {
    implementation_->stop();
}

void oauth_token_source::start() {
    implementation_->start();
}

const token_slot& oauth_token_source::slot() const noexcept {
    return implementation_->slot_;
}

oauth_token_source::subscription oauth_token_source::subscribe(
    const asio::any_io_executor& executor, std::function<void()> on_token) {
    auto reader = std::make_shared<subscriber>();
    reader->executor = executor;
    reader->on_token = std::move(on_token);
    implementation_->add(reader);
    implementation_->start();
    return subscription(std::move(reader));
}

void oauth_token_source::subscription::cancel() noexcept {
    if (inner_ != nullptr) {
        inner_->active = false;
        inner_.reset();
    }
}

oauth_token_source::subscription& oauth_token_source::subscription::operator=(subscription&& other) noexcept {
    if (this != &other) {
        cancel();
        inner_ = std::move(other.inner_);
    }
    return *this;
}

renewal oauth_token_source::refresh_after_rejection(time_point written_at, time_point now) {
    return implementation_->refresh(written_at, now);
}

credential_state oauth_token_source::state() const {
    return implementation_->state();
}

}  // namespace tocsin::auth
