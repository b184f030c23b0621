#pragma once

#include "engine/ops/admin_message.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

using admin_handler = std::function<boost::asio::awaitable<admin_response>(const admin_request&)>;

/// Whose share of the server's connections answers.
enum class admin_share : std::uint8_t {
    ordinary,
    health,  ///< Quick, and answered however many ordinary requests are under way.
};

/// Which handler a request belongs to.
class admin_router {
public:
    /// `path` is matched exactly, or, if it ends in '/', as the beginning of a path.
    void add(
        std::string_view method, std::string_view path, admin_handler handler,
        admin_share share = admin_share::ordinary);

    struct match {
        const admin_handler* handler = nullptr;  ///< Null: the path does not take the method, or is unknown.
        std::size_t prefix = 0;                  ///< How much of the path the route's own path makes up.
        admin_share share = admin_share::ordinary;
        std::string allowed;  ///< "GET, HEAD": what the path takes; empty: it is unknown.
    };

    /// The route with the longest path that fits. The match is good until the next add().
    [[nodiscard]] match find(std::string_view method, std::string_view path) const;

private:
    struct route {
        std::string method;
        std::string path;
        admin_handler handler;
        admin_share share;

        [[nodiscard]] bool fits(std::string_view target) const noexcept {
            return path.ends_with('/') ? target.starts_with(path) : target == path;
        }
    };

    std::vector<route> routes_;
};

}  // namespace tocsin
