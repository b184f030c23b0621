#include "engine/redis/dialer.hpp"

#include "engine/redis/error.hpp"
#include "engine/redis/pipeline.hpp"
#include "engine/runtime/deadline.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tocsin::redis {

namespace asio = boost::asio;

namespace {

/// Refusals that pass by themselves: Redis starts, fails over, or is full.
bool is_temporary(std::string_view refusal) noexcept {
    constexpr std::array<std::string_view, 6> passing{"LOADING",  "MASTERDOWN",  "BUSY",
                                                      "TRYAGAIN", "CLUSTERDOWN", "ERR max number of clients"};
    return std::any_of(
        passing.begin(), passing.end(), [&](std::string_view prefix) { return refusal.starts_with(prefix); });
}

error_code judge_refusal(std::string_view reason, std::string& detail) {
    detail = reason;
    return is_temporary(reason) ? redis_errc::unreachable : redis_errc::refused;
}

/// Sends what `exchange` asks and reads until it is answered.
asio::awaitable<result<>> converse(
    transport& link, std::shared_ptr<operation> exchange, std::string& detail) {
    pipeline line;
    line.push(exchange);
    std::string out;
    line.take_output(out, exchange->what.size_bytes());
    std::array<char, 4096> buffer;
    const result<> sent = co_await link.write(out);
    if (sent.has_error()) {
        // With TLS 1.3 a server refuses our certificate after the handshake, and hangs up: why, is there to
        // be read.
        const auto last_words = co_await link.read_some(buffer);
        const bool said_why = last_words.has_error() && last_words.error() == redis_errc::refused;
        co_return said_why ? last_words.error() : sent.error();
    }
    while (!exchange->done) {
        const auto count = co_await link.read_some(buffer);
        if (count.has_error()) {
            // A Redis that turns us away says why, once, and hangs up.
            const auto reason = exchange->answers.first_error();
            co_return reason ? judge_refusal(*reason, detail) : count.error();
        }
        const result<> fed = line.feed({buffer.data(), *count});
        if (fed.has_error()) {
            co_return fed;
        }
    }
    co_return result<>();
}

/// The commands of a greeting, and which of them may be refused.
struct greeting {
    request commands;
    std::size_t role_at;
    std::size_t name_at;
    std::size_t ping_at;
};

greeting greeting_for(const address& where) {
    greeting out{};
    if (!where.user.empty()) {
        out.commands.add("AUTH", where.user, where.password);
    } else if (!where.password.empty()) {
        out.commands.add("AUTH", where.password);
    }
    if (where.database != 0) {
        out.commands.add("SELECT", where.database);
    }
    out.name_at = out.commands.count();
    out.commands.add("CLIENT", "SETNAME", "tocsin");
    out.ping_at = out.commands.count();
    out.commands.add("PING");
    return out;
}

}  // namespace

asio::awaitable<result<>> dialer::open(
    transport& link, const address& where, role wanted, std::string& detail) {
    detail.clear();
    if (where.tls && tls_ == nullptr) {
        net::tls_options options;
        options.ca_file = where.ca_file;
        options.certificate_file = where.certificate_file;
        options.certificate_key_file = where.certificate_key_file;
        auto made = net::tls_context::create(options);
        if (made.has_error()) {
            detail = made.error().message;
            co_return redis_errc::refused;
        }
        tls_ = std::move(*made);
    }
    const result<> connected = co_await link.connect(where, tls_.get());
    if (connected.has_error()) {
        detail = link.problem();
        co_return connected;
    }
    const result<> greeted = co_await greet(link, where, wanted, detail);
    if (greeted.has_error() && detail.empty()) {
        detail = link.problem();
    }
    co_return greeted;
}

asio::awaitable<result<>> dialer::greet(
    transport& link, const address& where, role wanted, std::string& detail) {
    greeting hello = greeting_for(where);
    if (wanted != role::any) {
        hello.role_at = hello.commands.count();
        hello.commands.add("ROLE");
    }
    const auto exchange = std::make_shared<operation>(std::move(hello.commands));
    const result<> done = co_await converse(link, exchange, detail);
    if (done.has_error()) {
        co_return done;
    }
    for (std::size_t i = 0; i < exchange->answers.size(); ++i) {
        const reply answer = exchange->answers[i];
        if (answer.is_error()) {
            // Neither a name nor PING is worth a refusal to a user who may not give commands like these.
            const bool forbidden_ping = i == hello.ping_at && answer.text().starts_with("NOPERM");
            const bool need_not_know = wanted == role::no_replica && i == hello.role_at;
            if (i == hello.name_at || forbidden_ping || need_not_know) {
                continue;
            }
            co_return judge_refusal(answer.text(), detail);
        }
        if (wanted != role::any && i == hello.role_at) {
            const std::string_view is = answer.size() == 0 ? std::string_view() : answer[0].text();
            if (is != "master" && (wanted == role::master || is == "slave")) {
                detail = "it is not a master, or not yet";
                co_return redis_errc::unreachable;
            }
        }
    }
    co_return result<>();
}

asio::awaitable<result<replies>> dialer::open_and_ask(
    transport& link, const address& where, request what, std::string& detail) {
    const result<> opened = co_await open(link, where, role::any, detail);
    if (opened.has_error()) {
        co_return opened.error();
    }
    const auto exchange = std::make_shared<operation>(std::move(what));
    const result<> done = co_await converse(link, exchange, detail);
    if (done.has_error()) {
        co_return done.error();
    }
    if (const auto reason = exchange->answers.first_error()) {
        co_return judge_refusal(*reason, detail);
    }
    co_return std::move(exchange->answers);
}

asio::awaitable<result<replies>> dialer::ask(
    const address& where, request what, std::chrono::milliseconds patience, std::string& detail) {
    transport link(executor_);
    co_return co_await with_deadline(
        open_and_ask(link, where, std::move(what), detail), clock::now() + patience);
}

}  // namespace tocsin::redis
