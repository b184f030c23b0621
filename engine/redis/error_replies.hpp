#pragma once

#include "engine/core/clock.hpp"
#include "engine/redis/error.hpp"
#include "engine/redis/reply.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::redis {

/// What an error reply says is wrong: its first word, or that of the error which a script was told.
/// "OOM", "READONLY", "WRONGTYPE", …; a class that this version does not know is what Redis calls it; "ERR"
/// for words that are no class. Lasts as long as `text`.
[[nodiscard]] std::string_view error_class(std::string_view text) noexcept;

/// What an operator can do about errors of that class; a sentence.
[[nodiscard]] std::string_view advice_for(std::string_view error_class) noexcept;

/// What an error reply means to whoever asked. WRONGTYPE is damaged: it concerns whose key it is. Every other
/// class that is known is declined: it concerns Redis, and passes with its cause. Any other: error_reply.
[[nodiscard]] redis_errc code_for(std::string_view text) noexcept;

/// How often Redis did not do what one client asked: error replies, which are no failures of a connection,
/// and connections that failed or were lost. Any thread may ask; costs nothing while there are none.
class error_replies {
public:
    struct last_error {
        std::string text;  ///< Redis' own, printable, at most 300 bytes.
        time_point at{};
    };

    /// Notes the errors among `answers`, but for those that are part of a normal life: a script that is not
    /// loaded yet, a group that exists, a stream that nobody has made yet. A redirection is none: a client of
    /// a cluster has followed those that it can.
    void note(const replies& answers, time_point now);
    /// A connection failed or was lost, and Redis has said nothing about it.
    void note_failure() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::optional<last_error> last() const;

private:
    std::atomic<std::uint64_t> count_{0};
    mutable std::mutex mutex_;
    std::optional<last_error> last_;
};

}  // namespace tocsin::redis
