#include "engine/redis/sentinel.hpp"

#include "engine/redis/error.hpp"

#include <optional>
#include <utility>

namespace tocsin::redis {
namespace {

std::optional<endpoint> read_master(const reply& answer) {
    if (answer.size() != 2) {
        return std::nullopt;
    }
    const auto port = answer[1].integer();
    if (answer[0].text().empty() || !port || *port < 1 || *port > 0xFFFF) {
        return std::nullopt;
    }
    return endpoint{std::string(answer[0].text()), static_cast<std::uint16_t>(*port)};
}

}  // namespace

boost::asio::awaitable<result<endpoint>> find_master(
    dialer& dial, const address& where, std::chrono::milliseconds patience, std::string& detail) {
    error_code why = redis_errc::unreachable;
    std::string problem;
    for (const endpoint& sentinel : where.seeds) {
        address peer = where.at(sentinel);
        peer.user.clear();
        peer.password = where.sentinel_password;
        peer.database = 0;
        request ask("SENTINEL", "get-master-addr-by-name", where.master_name);
        const auto answer = co_await dial.ask(peer, std::move(ask), patience, detail);
        if (answer.has_error()) {
            why = answer.error() == redis_errc::refused ? redis_errc::refused : redis_errc::unreachable;
            problem = "Sentinel " + sentinel.to_string() + ": " +
                      (detail.empty() ? answer.error().message() : detail);
            continue;
        }
        if (auto master = read_master(answer->front())) {
            detail.clear();
            co_return std::move(*master);
        }
        why = redis_errc::unreachable;
        problem = "Sentinel " + sentinel.to_string() + " knows no master called \"" + where.master_name + '"';
    }
    detail = std::move(problem);
    co_return why;
}

}  // namespace tocsin::redis
