#pragma once

#include "engine/core/clock.hpp"
#include "engine/redis/reply.hpp"
#include "engine/redis/request.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin::redis {

/// Waits until a replica has what was written, where there is one: replication is asynchronous, and
/// what only the master knows is lost with it. Without replicas it costs a ROLE every few seconds.
///
/// A replica that does not keep up is not waited for again until the next look, so that it slows
/// nobody down for long.
///
/// See WAIT and ROLE in Redis' list of commands.
class replica_watch {
public:
    /// `patience`: how long a replica may take, in whole milliseconds; 0: none is waited for.
    explicit replica_watch(std::chrono::milliseconds patience) noexcept : patience_(patience) {}

    /// What ask() has added to a request.
    struct question {
        bool role = false;
        bool wait = false;
        [[nodiscard]] std::size_t count() const noexcept { return std::size_t{role} + std::size_t{wait}; }
    };
    enum class answer : std::uint8_t {
        fine,    ///< A replica has it, or there is none.
        owed,    ///< There is a replica, and it was not waited for yet: ask_to_wait().
        behind,  ///< No replica had it in time.
        lost,    ///< Perhaps all of it: this server is no master any more.
    };

    /// Adds what there is to ask to the end of `into`, which has written something of `key`.
    [[nodiscard]] question ask(request& into, std::string_view key, time_point now);
    /// Reads the replies to that, from reply `first` on.
    [[nodiscard]] answer read(question asked, const replies& got, std::size_t first, time_point now);

    /// The wait that is owed, as a request of its own, and its reply.
    [[nodiscard]] request wait_for(std::string_view key) const;
    [[nodiscard]] answer read_wait(const reply& got, time_point now);

private:
    void add_wait(request& into, std::string_view key) const;

    std::chrono::milliseconds patience_;
    time_point next_look_{};
    bool there_ = false;
};

}  // namespace tocsin::redis
