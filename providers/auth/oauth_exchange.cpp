#include "providers/auth/oauth_exchange.hpp"

#include "engine/core/json_members.hpp"
#include "engine/runtime/deadline.hpp"
#include "providers/common/bounded_json.hpp"
#include "providers/common/peer_clock.hpp"
#include "providers/common/retry_after.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace tocsin::auth {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using namespace std::chrono_literals;

constexpr auto exchange_timeout = 10s;
constexpr std::size_t largest_answer = std::size_t{64} * 1024;
constexpr std::size_t longest_token = 8 * 1024;
constexpr auto token = asio::as_tuple(asio::use_awaitable);

struct http_answer {
    int status = 0;
    std::string body;
    std::string retry_after;
    std::string date;
};

bool is_visible_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

/// Text of the peer's, made fit for a log line.
std::string quoted(std::string_view text) {
    std::string out(text.substr(0, 200));
    std::ranges::replace_if(
        out, [](char c) { return c < ' ' || c > '~'; }, '?');
    return out;
}

std::string form_body(const std::string& assertion) {
    // An assertion is base64url and dots: nothing in it needs escaping.
    return "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + assertion;
}

asio::awaitable<result<http_answer>> post(
    const https_url& endpoint, const net::tls_context& tls, const std::string& assertion) {
    const auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::resolver resolver(executor);
    const std::string service = std::to_string(endpoint.port);
    const auto [resolve_error, addresses] = co_await resolver.async_resolve(endpoint.host, service, token);
    if (resolve_error) {
        co_return resolve_error;
    }
    asio::ip::tcp::socket socket(executor);
    const auto [connect_error, peer] = co_await asio::async_connect(socket, addresses, token);
    if (connect_error) {
        co_return connect_error;
    }
    auto session = tls.session(endpoint.host);
    asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), session.release());
    const auto [handshake_error] = co_await stream.async_handshake(asio::ssl::stream_base::client, token);
    if (handshake_error) {
        co_return handshake_error;
    }

    http::request<http::string_body> request(http::verb::post, endpoint.target, 11);
    request.set(http::field::host, endpoint.authority);
    request.set(http::field::content_type, "application/x-www-form-urlencoded");
    request.set(http::field::accept, "application/json");
    request.set(http::field::connection, "close");
    request.body() = form_body(assertion);
    request.prepare_payload();
    const auto [write_error, written] = co_await http::async_write(stream, request, token);
    if (write_error) {
        co_return write_error;
    }
    boost::beast::flat_buffer buffer(largest_answer);
    http::response_parser<http::string_body> parser;
    parser.body_limit(largest_answer);
    const auto [read_error, count] = co_await http::async_read(stream, buffer, parser, token);
    if (read_error) {
        co_return read_error;
    }
    http_answer out;
    out.status = static_cast<int>(parser.get().result_int());
    const auto retry_after = parser.get()[http::field::retry_after];
    out.retry_after.assign(retry_after.data(), retry_after.size());
    const auto date = parser.get()[http::field::date];
    out.date.assign(date.data(), date.size());
    out.body = std::move(parser.get().body());
    co_return out;
}

}  // namespace

exchange_outcome read_token_answer(
    int status, std::string_view body, std::string_view retry_after, wall_time now) {
    const auto reader = std::make_unique<bounded_json>();
    const auto* document = reader->parse(body);
    const auto* object = document != nullptr ? document->if_object() : nullptr;
    exchange_problem problem;
    if (status == 200) {
        const std::string_view access_token =
            object != nullptr ? text_at(*object, "access_token") : std::string_view();
        const auto* expires_in = object != nullptr ? object->if_contains("expires_in") : nullptr;
        std::int64_t lifetime = 0;
        if (expires_in != nullptr && expires_in->is_number()) {
            boost::system::error_code not_integral;
            lifetime = expires_in->to_number<std::int64_t>(not_integral);
            lifetime = not_integral ? 0 : lifetime;
        }
        // It becomes a header field: a line break in it would be ours to answer for.
        if (access_token.empty() || access_token.size() > longest_token || !is_visible_ascii(access_token) ||
            lifetime <= 0) {
            problem.sentence = "the token endpoint's answer holds no usable access_token and expires_in";
            return problem;
        }
        // Longer than a day is not a promise that we rely on.
        return token_grant{
            std::string(access_token), std::chrono::seconds(std::min<std::int64_t>(lifetime, 86'400))};
    }
    const std::string_view word = object != nullptr ? text_at(*object, "error") : std::string_view();
    const std::string_view text =
        object != nullptr ? text_at(*object, "error_description") : std::string_view();
    problem.sentence = "the token endpoint answered " + std::to_string(status);
    if (!word.empty()) {
        problem.sentence += " " + quoted(word);
    }
    if (!text.empty()) {
        problem.sentence += " (" + quoted(text) + ")";
    }
    problem.configuration = status >= 300 && status < 500 && status != 408 && status != 429;
    if (word == "invalid_grant") {
        problem.sentence += ": check this host's clock, and that the service account and its key still exist";
    } else if (problem.configuration) {
        problem.sentence += ": check the service account file and its token_uri";
    }
    problem.retry_after = parse_retry_after(retry_after, now);
    return problem;
}

asio::awaitable<exchange_outcome> exchange_assertion(
    const https_url& endpoint, const net::tls_context& tls, const std::string& assertion,
    const time_source& time) {
    // A deadline of the real clock: `time` says when tokens die, not how long a socket may be silent.
    const time_point begun = clock::now();
    const auto answer = co_await with_deadline(post(endpoint, tls, assertion), begun + exchange_timeout);
    if (answer.has_error()) {
        exchange_problem problem;
        problem.sentence =
            "the token endpoint at " + endpoint.authority + " cannot be reached: " + answer.error().message();
        co_return problem;
    }
    auto outcome = read_token_answer(answer->status, answer->body, answer->retry_after, time.wall_now());
    const auto ahead = clock_ahead(answer->date, clock::now() - begun, time.wall_now());
    if (outcome.has_value()) {
        outcome->clock_ahead = ahead;
        co_return outcome;
    }
    exchange_problem problem = outcome.error();
    problem.clock_ahead = ahead;
    if (are_apart(ahead)) {
        problem.sentence += "; this host's clock is " + std::to_string(std::abs(ahead->count())) +
                            " seconds " + (ahead->count() > 0 ? "ahead of" : "behind") +
                            " that of the endpoint";
    }
    co_return problem;
}

}  // namespace tocsin::auth
