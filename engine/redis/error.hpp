#pragma once

#include "engine/core/error.hpp"

#include <type_traits>

namespace tocsin::redis {

enum class redis_errc {
    connection_lost = 1,  ///< It broke before the replies came: the commands may or may not have run.
    unreachable,          ///< No connection could be made in time: the commands did not run.
    timed_out,            ///< No reply in time: the commands may or may not have run.
    protocol,             ///< The peer does not speak RESP2.
    refused,              ///< Credentials, database or certificate: the address is wrong, not the network.
    overloaded,           ///< Too much waits to be written: the commands did not run.
    closed,               ///< We are shutting down: the commands did not run.
    not_routable,         ///< No node of a cluster is the one for this command: it did not run.
    unexpected_reply,     ///< A reply of another form than the command has.
    error_reply,          ///< An error that says neither of the next two.
    declined,  ///< Redis is there, and does nothing of the kind for now: OOM, READONLY, NOPERM, …
    damaged,   ///< What Redis holds under a key of ours is nothing that we have written.
};

const boost::system::error_category& redis_category() noexcept;

inline error_code make_error_code(redis_errc code) noexcept {
    return {static_cast<int>(code), redis_category()};
}

}  // namespace tocsin::redis

template <>
struct boost::system::is_error_code_enum<tocsin::redis::redis_errc> : std::true_type {};
