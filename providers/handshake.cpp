#include "providers/handshake.hpp"

#include "engine/core/clock.hpp"
#include "engine/net/tls_context.hpp"
#include "engine/runtime/deadline.hpp"
#include "providers/common/https_url.hpp"
#include "providers/platforms.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <openssl/x509_vfy.h>

#include <chrono>
#include <optional>
#include <set>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;

constexpr auto patience = std::chrono::seconds(10);

std::string verification_problem(SSL* session, const error_code& otherwise) {
    const long verified = SSL_get_verify_result(session);
    return verified == X509_V_OK
               ? otherwise.message()
               : std::string("its certificate is not trusted: ") + X509_verify_cert_error_string(verified);
}

asio::awaitable<result<std::string>> shake(https_url where, std::shared_ptr<net::tls_context> tls) {
    const auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::resolver resolver(executor);
    const auto [unknown, addresses] = co_await resolver.async_resolve(
        where.host, std::to_string(where.port), asio::as_tuple(asio::use_awaitable));
    if (unknown) {
        co_return "its name cannot be resolved: " + unknown.message();
    }
    // The stream takes the session over, and frees it.
    asio::ssl::stream<asio::ip::tcp::socket> stream(
        asio::ip::tcp::socket(executor), tls->session(where.host).release());
    const auto [refused, used] =
        co_await asio::async_connect(stream.next_layer(), addresses, asio::as_tuple(asio::use_awaitable));
    if (refused) {
        co_return "cannot be connected to: " + refused.message();
    }
    const auto [untrusted] =
        co_await stream.async_handshake(asio::ssl::stream_base::client, asio::as_tuple(asio::use_awaitable));
    if (untrusted) {
        co_return "TLS failed: " + verification_problem(stream.native_handle(), untrusted);
    }
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(stream.native_handle(), &protocol, &size);
    if (std::string_view(reinterpret_cast<const char*>(protocol), size) != "h2") {
        co_return std::string("does not offer HTTP/2");
    }
    co_return std::string();
}

class tries {
public:
    void add(const std::string& peer, const std::string& url, net::tls_options how) {
        if (!seen_.insert(url + how.certificate_file + how.ca_file).second) {
            return;
        }
        how.alpn = "h2";
        handshake_report report{peer + " " + url, {}, false};
        auto where = parse_https_url(url, "url");
        auto tls = net::tls_context::create(how);
        if (where.has_error()) {
            report.problem = where.error().message;
        } else if (tls.has_error()) {
            report.problem = tls.error().message;
        } else {
            asio::io_context loop(1);
            report.problem = "does not answer within 10 seconds";
            asio::co_spawn(
                loop, with_deadline(shake(*where, *tls), clock::now() + patience),
                [&report](const std::exception_ptr&, const result<std::string>& said) {
                    report.problem = said.has_value() ? *said : said.error().message();
                });
            loop.run();
        }
        out.push_back(std::move(report));
    }

    std::vector<handshake_report> out;

private:
    std::set<std::string> seen_;
};

}  // namespace

std::vector<handshake_report> shake_hands(const settings& how) {
    tries all;
    for (const app_settings& app : how.apps) {
        for (const platform_descriptor* const one : all_platforms()) {
            const auto given = app.platforms.find(one->configuration().kind());
            if (given == app.platforms.end()) {
                continue;
            }
            const std::string peer = app.id + "/" + std::string(to_string(given->first));
            for (const provider_address& where : one->addresses(*given->second)) {
                all.add(peer, where.url, where.tls);
            }
        }
    }
    return std::move(all.out);
}

std::vector<handshake_report> try_credentials(const settings& how) {
    std::set<std::string> seen;
    std::vector<handshake_report> out;
    for (const app_settings& app : how.apps) {
        for (const platform_descriptor* const one : all_platforms()) {
            const auto given = app.platforms.find(one->configuration().kind());
            const auto probe = given == app.platforms.end() ? std::nullopt : one->probe(*given->second);
            if (probe && seen.emplace(std::string(to_string(given->first)) + ' ' + probe->identity).second) {
                out.push_back(probe->ask(app.id));
            }
        }
    }
    return out;
}

}  // namespace tocsin
