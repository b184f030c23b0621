#include "providers/http2/connect_first.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tocsin::http2 {

namespace asio = boost::asio;

asio::awaitable<error_code> connect_first(
    asio::ip::tcp::socket& socket, std::vector<asio::ip::tcp::endpoint> addresses,
    std::chrono::milliseconds patience, std::function<bool()> wanted) {
    using namespace asio::experimental::awaitable_operators;
    error_code refused = asio::error::host_not_found;
    for (const asio::ip::tcp::endpoint& address : addresses) {
        error_code failed;
        socket.close(failed);
        socket.open(address.protocol(), failed);
        if (failed) {
            refused = failed;
            continue;
        }
        asio::steady_timer limit(socket.get_executor(), patience);
        const auto first = co_await (
            socket.async_connect(address, asio::as_tuple(asio::use_awaitable)) ||
            limit.async_wait(asio::as_tuple(asio::use_awaitable)));
        if (!wanted()) {
            co_return asio::error::operation_aborted;
        }
        refused = asio::error::timed_out;
        if (first.index() == 0) {
            refused = std::get<0>(std::get<0>(first));
        }
        if (!refused) {
            co_return refused;
        }
    }
    co_return refused;
}

}  // namespace tocsin::http2
