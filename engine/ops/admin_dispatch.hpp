#pragma once

#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/ops/accepted_hosts.hpp"
#include "engine/ops/admin_http.hpp"
#include "engine/ops/admin_router.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace tocsin {

/// From a whole request to its answer: whether it is for us, whose it is, and what its handler says in time.
/// Knows no connection.
class admin_dispatch {
public:
    admin_dispatch(logger& log, std::chrono::milliseconds timeout) : log_(log), timeout_(timeout) {}

    admin_router routes;
    accepted_hosts hosts;

    struct answered {
        admin_response response;
        std::string allowed;  ///< The Allow field that goes with a 405.
    };

    /// `crowded`: only health is answered. `message` outlives the coroutine.
    boost::asio::awaitable<answered> answer(const admin_http_request& message, bool crowded);

private:
    /// The refusal of a request that is well-formed and still none for us; nothing if it is one.
    [[nodiscard]] std::optional<admin_response> objection(const admin_http_request& message) const;
    boost::asio::awaitable<admin_response> handle(const admin_handler& handler, const admin_request& request);
    boost::asio::awaitable<result<admin_response>> call(
        const admin_handler& handler, const admin_request& request);
    void report(const admin_request& request, const char* what);

    logger& log_;
    std::chrono::milliseconds timeout_;
};

}  // namespace tocsin
