#include "engine/redis/client.hpp"

#include "engine/core/backoff.hpp"
#include "engine/net/tls_context.hpp"
#include "engine/redis/pipeline.hpp"
#include "engine/redis/transport.hpp"
#include "engine/runtime/deadline.hpp"
#include "engine/runtime/wait_queue.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tocsin::redis {

namespace asio = boost::asio;

namespace {

constexpr backoff_policy reconnect_policy{std::chrono::milliseconds(100), std::chrono::milliseconds(5'000)};
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

/// Refusals that pass by themselves: Redis starts, fails over, or is full.
bool is_temporary(std::string_view refusal) noexcept {
    constexpr std::array<std::string_view, 5> passing{
        "LOADING", "MASTERDOWN", "BUSY", "TRYAGAIN", "ERR max number of clients"};
    return std::any_of(
        passing.begin(), passing.end(), [&](std::string_view prefix) { return refusal.starts_with(prefix); });
}

}  // namespace

struct client::state : std::enable_shared_from_this<state> {
    state(
        asio::any_io_executor where_to_run, address peer, const time_source& clock_of_caller, logger& to,
        client_options given)
        : executor(std::move(where_to_run)),
          where(std::move(peer)),
          time(clock_of_caller),
          log(to),
          options(given),
          pause(executor),
          output_ready(executor),
          random(std::random_device{}()) {}

    static asio::awaitable<result<replies>> execute(std::shared_ptr<state> self, request what);
    error_code submit(const std::shared_ptr<waiting>& what);
    void start();
    void close() noexcept;

    /// Connects, serves, and connects again, until close().
    static asio::awaitable<void> run(std::shared_ptr<state> self);
    asio::awaitable<result<>> open();
    asio::awaitable<result<>> greet();
    [[nodiscard]] result<> judge_greeting(const replies& answers);
    /// Returns why the connection ended.
    asio::awaitable<error_code> serve();
    asio::awaitable<error_code> read();
    asio::awaitable<error_code> write();
    asio::awaitable<error_code> watch();
    asio::awaitable<void> back_off(std::uint32_t attempt);

    void report_up();
    void report_down(std::string_view event, error_code why);

    asio::any_io_executor executor;
    address where;
    const time_source& time;
    logger& log;
    client_options options;

    pipeline line;
    std::shared_ptr<net::tls_context> tls;
    std::unique_ptr<transport> link;  ///< Replaced by run() alone, when nothing uses it.
    asio::steady_timer pause;
    wait_queue output_ready;
    std::minstd_rand random;
    time_point silent_since{};  ///< Since when Redis has owed a reply without sending a byte.
    std::string detail;         ///< The peer's own words about the last failure to connect.
    std::uint64_t errors = 0;
    error_code reported;  ///< What the log was last told is wrong; empty: nothing.
    bool running = false;
    bool up = false;
    bool closed = false;
};

// --- Requests --------------------------------------------------------------------------------

asio::awaitable<result<replies>> client::state::execute(std::shared_ptr<state> self, request what) {
    if (what.empty()) {
        co_return replies();
    }
    const auto mine = std::make_shared<waiting>(
        self->executor, std::move(what), self->time.now() + self->options.reply_timeout);
    if (const error_code refused = self->submit(mine)) {
        co_return refused;
    }
    while (!mine->done) {
        const bool written = mine->ran;
        mine->signal.expires_at(
            written ? asio::steady_timer::time_point::max()
                    : asio::steady_timer::clock_type::now() + (mine->unwritten_until - self->time.now()));
        const auto [interrupted] = co_await mine->signal.async_wait(as_value);
        if (mine->done) {
            break;
        }
        if (interrupted) {
            self->line.abandon(*mine);
            co_return error_code(asio::error::operation_aborted);
        }
        if (!mine->ran && self->time.now() >= mine->unwritten_until) {
            self->line.abandon(*mine);
            co_return redis_errc::unreachable;
        }
    }
    if (mine->failure) {
        co_return mine->failure;
    }
    co_return std::move(mine->answers);
}

error_code client::state::submit(const std::shared_ptr<waiting>& what) {
    if (closed) {
        return redis_errc::closed;
    }
    if (line.queued_bytes() + what->what.size_bytes() > options.max_queued_bytes) {
        return redis_errc::overloaded;
    }
    line.push(what);
    start();
    output_ready.notify_all();
    return {};
}

// --- The life of connections -----------------------------------------------------------------

void client::state::start() {
    if (std::exchange(running, true)) {
        return;
    }
    asio::co_spawn(
        executor, run(shared_from_this()), [self = shared_from_this()](const std::exception_ptr& thrown) {
            self->running = false;
            if (thrown && !self->closed) {
                // Out of memory, in practice. The next request starts over.
                self->up = false;
                self->link.reset();
                ++self->errors;
                self->line.disconnected(redis_errc::connection_lost);
            }
        });
}

asio::awaitable<void> client::state::run(std::shared_ptr<state> self) {
    std::uint32_t attempt = 0;
    while (!self->closed) {
        self->link = std::make_unique<transport>(self->executor);
        // Sockets live in real time, whatever the caller's clock says.
        const result<> opened =
            co_await with_deadline(self->open(), clock::now() + self->options.connect_timeout);
        if (self->closed) {
            break;
        }
        if (opened.has_value()) {
            attempt = 0;
            self->report_up();
            const error_code why = co_await self->serve();
            self->up = false;
            self->line.disconnected(why);
            if (self->closed) {
                break;
            }
            self->report_down("redis.connection_lost", why);
        } else {
            self->report_down("redis.connect_failed", opened.error());
            if (opened.error() == redis_errc::refused) {
                self->line.fail_queued(redis_errc::refused);
            }
        }
        ++self->errors;
        self->link.reset();
        co_await self->back_off(attempt);
        ++attempt;
    }
    self->link.reset();
}

asio::awaitable<void> client::state::back_off(std::uint32_t attempt) {
    pause.expires_after(backoff_delay(reconnect_policy, attempt, random));
    co_await pause.async_wait(as_value);
}

void client::state::close() noexcept {
    if (std::exchange(closed, true)) {
        return;
    }
    up = false;
    if (link != nullptr) {
        link->close();
    }
    pause.cancel();
    output_ready.notify_all();
    line.disconnected(redis_errc::connection_lost);
    line.fail_queued(redis_errc::closed);
}

// --- Opening a connection --------------------------------------------------------------------

asio::awaitable<result<>> client::state::open() {
    detail.clear();
    if (where.tls && tls == nullptr) {
        net::tls_options wanted;
        wanted.ca_file = where.ca_file;
        auto made = net::tls_context::create(wanted);
        if (made.has_error()) {
            detail = made.error().message;
            co_return redis_errc::refused;
        }
        tls = std::move(*made);
    }
    const result<> connected = co_await link->connect(where, tls.get());
    if (connected.has_error()) {
        detail = link->problem();
        co_return connected;
    }
    co_return co_await greet();
}

asio::awaitable<result<>> client::state::greet() {
    request hello;
    if (!where.user.empty()) {
        hello.add("AUTH", where.user, where.password);
    } else if (!where.password.empty()) {
        hello.add("AUTH", where.password);
    }
    if (where.database != 0) {
        hello.add("SELECT", where.database);
    }
    hello.add("CLIENT", "SETNAME", "tocsin");
    hello.add("PING");

    pipeline greeting;
    const auto exchange = std::make_shared<operation>(std::move(hello));
    greeting.push(exchange);
    std::string out;
    greeting.take_output(out, write_size);
    const result<> sent = co_await link->write(out);
    if (sent.has_error()) {
        co_return sent;
    }
    std::array<char, 1024> buffer;
    while (!exchange->done) {
        const auto count = co_await link->read_some(buffer);
        if (count.has_error()) {
            // A Redis that turns us away says why, once, and hangs up.
            const auto reason = exchange->answers.first_error();
            if (reason) {
                detail = *reason;
                co_return is_temporary(*reason) ? redis_errc::unreachable : redis_errc::refused;
            }
            co_return count.error();
        }
        const result<> fed = greeting.feed({buffer.data(), *count});
        if (fed.has_error()) {
            co_return fed;
        }
    }
    co_return judge_greeting(exchange->answers);
}

result<> client::state::judge_greeting(const replies& answers) {
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (!answers[i].is_error()) {
            continue;
        }
        const std::string_view reason = answers[i].text();
        // Neither a name nor PING is worth a refusal to a user who may not give commands like these.
        const bool naming = i + 2 == answers.size();
        const bool forbidden_ping = i + 1 == answers.size() && reason.starts_with("NOPERM");
        if (naming || forbidden_ping) {
            continue;
        }
        detail = reason;
        return is_temporary(reason) ? redis_errc::unreachable : redis_errc::refused;
    }
    return {};
}

// --- Serving a connection --------------------------------------------------------------------

asio::awaitable<error_code> client::state::serve() {
    using namespace asio::experimental::awaitable_operators;
    up = true;
    detail.clear();
    silent_since = time.now();
    const auto ended = co_await (read() || write() || watch());
    co_return std::visit([](const error_code& why) { return why; }, ended);
}

// Whichever of these ends closes the link first, so that the others see it and stop.

asio::awaitable<error_code> client::state::read() {
    std::vector<char> buffer(read_size);
    for (;;) {
        const auto count = co_await link->read_some(buffer);
        if (count.has_error()) {
            link->close();
            co_return redis_errc::connection_lost;
        }
        silent_since = time.now();
        const result<> fed = line.feed({buffer.data(), *count});
        if (fed.has_error()) {
            link->close();
            co_return fed.error();
        }
        if (line.has_output()) {
            output_ready.notify_all();  // A script call goes again.
        }
    }
}

asio::awaitable<error_code> client::state::write() {
    std::string out;
    while (!link->is_closed()) {
        const bool was_owed = line.waiting();
        line.take_output(out, write_size);
        if (out.empty()) {
            co_await output_ready.wait();
            continue;
        }
        if (!was_owed) {
            silent_since = time.now();
        }
        const result<> sent = co_await link->write(out);
        if (sent.has_error()) {
            break;
        }
        out.clear();
        if (out.capacity() > 4 * write_size) {
            std::string().swap(out);  // One big request does not keep its memory for ever.
        }
    }
    link->close();
    co_return redis_errc::connection_lost;
}

// Never sleeps longer than the reply timeout, the shortest that a new request can bring, so
// nobody needs to wake it.
asio::awaitable<error_code> client::state::watch() {
    asio::steady_timer timer(executor);
    while (!link->is_closed()) {
        duration rest = options.reply_timeout;
        if (line.waiting()) {
            const time_point due = silent_since + options.reply_timeout + line.head_delay();
            if (due <= time.now()) {
                link->close();
                co_return redis_errc::timed_out;
            }
            rest = std::min(rest, due - time.now());
        }
        timer.expires_after(rest);
        co_await timer.async_wait(as_value);
    }
    co_return redis_errc::connection_lost;
}

// --- The log ---------------------------------------------------------------------------------

void client::state::report_up() {
    reported = {};
    log.info("redis.connected", {{"address", where.describe()}});
}

void client::state::report_down(std::string_view event, error_code why) {
    if (why == reported) {
        return;  // Once per change, not once per attempt.
    }
    reported = why;
    const std::string reason = detail.empty() ? why.message() : why.message() + " (" + detail + ')';
    log.warning(event, {{"address", where.describe()}, {"reason", reason}});
}

// --- The interface ---------------------------------------------------------------------------

client::client(
    asio::any_io_executor executor, address where, const time_source& time, logger& log,
    client_options options)
    : state_(std::make_shared<state>(std::move(executor), std::move(where), time, log, options)) {}

client::~client() {
    close();
}

asio::awaitable<result<replies>> client::execute(request what) {
    return state::execute(state_, std::move(what));
}

void client::close() noexcept {
    state_->close();
}

bool client::connected() const noexcept {
    return state_->up;
}

std::uint64_t client::errors() const noexcept {
    return state_->errors;
}

}  // namespace tocsin::redis
