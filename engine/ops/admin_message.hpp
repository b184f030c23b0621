#pragma once

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

/// A request as a handler sees it; the views live until the handler's coroutine has returned.
struct admin_request {
    std::string_view method;        ///< "GET" also for HEAD, whose body the server leaves out.
    std::string_view path;          ///< Percent-decoded, without the query.
    std::string_view rest;          ///< What of the path follows the route's prefix.
    std::string_view query;         ///< As sent, without the question mark.
    std::string_view content_type;  ///< As sent; empty if absent.
    std::string_view body;

    /// The decoded value of `name` in the query; empty if the query does not have it.
    [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
};

/// What an answer goes on with after its head, piece by piece, until it ends or the reader leaves.
class admin_event_source {
public:
    virtual ~admin_event_source() = default;
    /// Waits for the next piece; null ends the answer. A reader that is slow is asked for later: pieces that
    /// came meanwhile are the source's to skip.
    virtual boost::asio::awaitable<std::shared_ptr<const std::string>> next() = 0;
};

struct admin_response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers{};  ///< Beside those of every answer.
    std::shared_ptr<admin_event_source> source{};                ///< Set: the body is what it gives.
};

/// {"error": message} with that status: what every refusal of the admin server looks like.
[[nodiscard]] admin_response admin_error(unsigned status, std::string_view message);

}  // namespace tocsin
