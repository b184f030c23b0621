#include "engine/redis/connection.hpp"

#include "engine/core/backoff.hpp"
#include "engine/redis/error.hpp"
#include "engine/redis/reply_reader.hpp"
#include "engine/redis/sentinel.hpp"
#include "engine/runtime/deadline.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>
#include <vector>

namespace tocsin::redis {

namespace asio = boost::asio;

namespace {

constexpr backoff_policy reconnect_policy{std::chrono::milliseconds(100), std::chrono::milliseconds(5'000)};
/// A node of a cluster refuses what it is asked while it is away, so it had better not be for long.
constexpr backoff_policy node_policy{std::chrono::milliseconds(100), std::chrono::milliseconds(1'000)};
constexpr std::size_t read_size = std::size_t{64} * 1024;
/// One write takes whole requests until it has this much; what is left can still wait for another
/// connection if this one breaks.
constexpr std::size_t write_size = std::size_t{256} * 1024;

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

/// An operation that a coroutine waits for. The timer is the signal; cancelling it means done. An
/// Asio timer, and not a stored handler, so that an io_context that goes away takes the coroutine
/// with it.
struct waiting final : operation {
    waiting(const asio::any_io_executor& executor, request asked, time_point until)
        : operation(std::move(asked)), unwritten_until(until), signal(executor) {}
    // NOLINTNEXTLINE(bugprone-exception-escape): cancel() throws only if the OS refuses epoll_ctl.
    void on_done() noexcept override { signal.cancel(); }

    time_point unwritten_until;
    asio::steady_timer signal;
};

}  // namespace

connection::connection(
    asio::any_io_executor executor, address where, std::shared_ptr<dialer> dial, const time_source& time,
    logger& log, client_options options, patience while_away)
    : executor_(std::move(executor)),
      where_(std::move(where)),
      peer_(where_),
      dialer_(std::move(dial)),
      time_(time),
      log_(log),
      options_(options),
      while_away_(while_away),
      pause_(executor_),
      output_ready_(executor_),
      random_(std::random_device{}()) {
    // What is demoted to a replica while we are connected says so in its replies only.
    // A plain address can be a failover in disguise; a node of a cluster says MOVED instead.
    line_.treat_replica_as_lost(while_away_ == patience::waits);
}

// --- Requests --------------------------------------------------------------------------------

asio::awaitable<result<replies>> connection::execute(std::shared_ptr<connection> self, request what) {
    if (what.empty()) {
        co_return replies();
    }
    const auto mine = std::make_shared<waiting>(
        self->executor_, std::move(what), self->time_.now() + self->options_.reply_timeout);
    if (const error_code refused = self->submit(mine)) {
        co_return refused;
    }
    while (!mine->done) {
        const bool written = mine->ran;
        mine->signal.expires_at(
            written ? asio::steady_timer::time_point::max()
                    : asio::steady_timer::clock_type::now() + (mine->unwritten_until - self->time_.now()));
        const auto [interrupted] = co_await mine->signal.async_wait(as_value);
        if (mine->done) {
            break;
        }
        if (interrupted) {
            self->line_.abandon(*mine);
            co_return error_code(asio::error::operation_aborted);
        }
        if (!mine->ran && self->time_.now() >= mine->unwritten_until) {
            self->line_.abandon(*mine);
            co_return redis_errc::unreachable;
        }
    }
    if (mine->failure) {
        co_return mine->failure;
    }
    co_return std::move(mine->answers);
}

error_code connection::submit(const std::shared_ptr<operation>& what) {
    if (closed_) {
        return redis_errc::closed;
    }
    if (away_ && while_away_ == patience::refuses) {
        return redis_errc::unreachable;
    }
    if (line_.queued_bytes() + what->what.size_bytes() > options_.max_queued_bytes) {
        return redis_errc::overloaded;
    }
    line_.push(what);
    start();
    output_ready_.notify_all();
    return {};
}

// --- The life of connections -----------------------------------------------------------------

void connection::start() {
    if (std::exchange(running_, true)) {
        return;
    }
    asio::co_spawn(
        executor_, run(shared_from_this()), [self = shared_from_this()](const std::exception_ptr& thrown) {
            self->running_ = false;
            if (thrown && !self->closed_) {
                // Out of memory, in practice. The next request starts over.
                self->up_ = false;
                self->link_.reset();
                self->refusals_->note_failure();
                self->line_.disconnected(redis_errc::connection_lost);
            }
        });
}

asio::awaitable<void> connection::run(std::shared_ptr<connection> self) {
    std::uint32_t attempt = 0;
    while (!self->closed_) {
        self->link_ = std::make_unique<transport>(self->executor_);
        // Sockets live in real time, whatever the caller's clock says.
        const result<> opened =
            co_await with_deadline(self->open(), clock::now() + self->options_.connect_timeout);
        if (self->closed_) {
            break;
        }
        if (opened.has_value()) {
            attempt = 0;
            self->report_up();
            const error_code why = co_await self->serve();
            self->up_ = false;
            self->line_.disconnected(why);
            if (self->closed_) {
                break;
            }
            self->report_down("redis.connection_lost", why);
            self->count_failure(
                self->line_.met_replica() ? "READONLY You can't write against a read only replica" : "");
        } else {
            self->report_down("redis.connect_failed", opened.error());
            self->count_failure(self->detail_);
            if (opened.error() == redis_errc::refused) {
                self->line_.fail_queued(redis_errc::refused);
            }
        }
        self->away_ = true;
        if (self->while_away_ == patience::refuses) {
            self->line_.fail_queued(redis_errc::unreachable);
        }
        self->link_.reset();
        co_await self->back_off(attempt);
        ++attempt;
    }
    self->link_.reset();
}

asio::awaitable<void> connection::back_off(std::uint32_t attempt) {
    const auto& policy = while_away_ == patience::waits ? reconnect_policy : node_policy;
    pause_.expires_after(backoff_delay(policy, attempt, random_));
    co_await pause_.async_wait(as_value);
}

void connection::close() noexcept {
    if (std::exchange(closed_, true)) {
        return;
    }
    up_ = false;
    if (link_ != nullptr) {
        link_->close();
    }
    pause_.cancel();
    output_ready_.notify_all();
    line_.disconnected(redis_errc::connection_lost);
    line_.fail_queued(redis_errc::closed);
}

asio::awaitable<result<>> connection::open() {
    peer_ = where_;
    if (where_.kind != topology::sentinel) {
        co_return co_await dialer_->open(*link_, peer_, dialer::role::any, detail_);
    }
    // Some of the time for each Sentinel, and some for the master.
    const auto shares = static_cast<std::int64_t>(where_.seeds.size() + 1);
    const auto found = co_await find_master(*dialer_, where_, options_.connect_timeout / shares, detail_);
    if (found.has_error()) {
        co_return found.error();
    }
    peer_ = where_.at(*found);
    co_return co_await dialer_->open(*link_, peer_, dialer::role::master, detail_);
}

// --- Serving a connection --------------------------------------------------------------------

asio::awaitable<error_code> connection::serve() {
    using namespace asio::experimental::awaitable_operators;
    up_ = true;
    away_ = false;
    detail_.clear();
    silent_since_ = time_.now();
    const auto ended = co_await (read() || write() || watch());
    co_return std::visit([](const error_code& why) { return why; }, ended);
}

// Whichever of these ends closes the link first, so that the others see it and stop.

asio::awaitable<error_code> connection::read() {
    std::vector<char> buffer(read_size);
    for (;;) {
        const auto count = co_await link_->read_some(buffer);
        if (count.has_error()) {
            link_->close();
            co_return redis_errc::connection_lost;
        }
        silent_since_ = time_.now();
        const result<> fed = line_.feed({buffer.data(), *count});
        if (fed.has_error()) {
            link_->close();
            co_return fed.error();
        }
        if (line_.has_output()) {
            output_ready_.notify_all();  // A script call goes again.
        }
    }
}

asio::awaitable<error_code> connection::write() {
    std::string out;
    while (!link_->is_closed()) {
        const bool was_owed = line_.waiting();
        line_.take_output(out, write_size);
        if (out.empty()) {
            co_await output_ready_.wait();
            continue;
        }
        if (!was_owed) {
            silent_since_ = time_.now();
        }
        const result<> sent = co_await link_->write(out);
        if (sent.has_error()) {
            break;
        }
        out.clear();
        if (out.capacity() > 4 * write_size) {
            std::string().swap(out);  // One big request does not keep its memory for ever.
        }
    }
    link_->close();
    co_return redis_errc::connection_lost;
}

// Never sleeps longer than the reply timeout, the shortest that a new request can bring, so
// nobody needs to wake it.
asio::awaitable<error_code> connection::watch() {
    asio::steady_timer timer(executor_);
    while (!link_->is_closed()) {
        duration rest = options_.reply_timeout;
        if (line_.waiting()) {
            const time_point due = silent_since_ + options_.reply_timeout + line_.head_delay();
            if (due <= time_.now()) {
                link_->close();
                co_return redis_errc::timed_out;
            }
            rest = std::min(rest, due - time_.now());
        }
        timer.expires_after(rest);
        co_await timer.async_wait(as_value);
    }
    co_return redis_errc::connection_lost;
}

// --- The log ---------------------------------------------------------------------------------

void connection::count_failure(std::string_view said) {
    if (said.empty()) {
        refusals_->note_failure();
        return;
    }
    std::string line(said.substr(0, said.find_first_of("\r\n")));
    reply_reader reader;
    reader.feed("-" + line + "\r\n");
    replies one;
    if (reader.next(one).has_value()) {
        refusals_->note(one, time_.now());
    }
}

void connection::report_up() {
    reported_ = {};
    log_.info("redis.connected", {{"address", peer_.describe()}});
}

void connection::report_down(std::string_view event, error_code why) {
    if (why == reported_) {
        return;  // Once per change, not once per attempt.
    }
    reported_ = why;
    const std::string reason = detail_.empty() ? why.message() : why.message() + " (" + detail_ + ')';
    log_.warning(event, {{"address", peer_.describe()}, {"reason", reason}});
}

}  // namespace tocsin::redis
