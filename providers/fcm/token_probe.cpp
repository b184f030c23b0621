#include "providers/fcm/token_probe.hpp"

#include "engine/core/clock.hpp"
#include "engine/core/private_file.hpp"
#include "engine/net/tls_context.hpp"
#include "providers/auth/account_token.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <string>

namespace tocsin::fcm {
namespace {

namespace asio = boost::asio;

parsed<auth::service_account> read_account(const std::string& file) {
    const auto json = read_private_file(file);
    if (json.has_error()) {
        return json.error();
    }
    return auth::parse_service_account(*json);
}

}  // namespace

handshake_report ask_for_token(const std::string& app, const fcm_settings& given) {
    handshake_report report{app + "/fcm access token", {}, true};
    const auto account = read_account(given.service_account_file);
    if (account.has_error()) {
        report.problem = account.error().message;
        return report;
    }
    report.peer += " " + account->token_uri;
    const auto tls = net::tls_context::create({given.ca_file, {}, {}, "http/1.1"});
    if (tls.has_error()) {
        report.problem = tls.error().message;
        return report;
    }
    const system_time_source time;
    asio::io_context loop(1);
    asio::co_spawn(
        loop, auth::request_account_token(*account, **tls, time, time.wall_now()),
        [&report](const std::exception_ptr& failure, const auth::exchange_outcome& outcome) {
            if (failure || outcome.has_error()) {
                report.problem = failure ? "asking for it failed" : outcome.error().sentence;
                report.configuration = !failure && outcome.error().configuration;
            }
        });
    loop.run();
    return report;
}

}  // namespace tocsin::fcm
