#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace tocsin::cli {

/// Which certificates were made of an event, kept for a year: long after the event itself. Of each its
/// SHA-256 alone, of at most the 64 newest of an event.
boost::asio::awaitable<result<>> note_certificate(
    redis_session& redis, std::string event, std::string digest, wall_time as_of);

struct certificates_made {
    std::size_t how_many = 0;
    std::optional<wall_time> this_one;  ///< When the certificate of that digest was made, if it was.
};
boost::asio::awaitable<result<certificates_made>> find_certificate(
    redis_session& redis, std::string event, std::string digest);

}  // namespace tocsin::cli
