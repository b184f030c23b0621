#pragma once

#include "engine/core/error.hpp"
#include "engine/redis/reply.hpp"
#include "engine/redis/reply_reader.hpp"
#include "engine/redis/request.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::redis {

/// One request on its way through a pipeline, and later its answer.
struct operation {
    explicit operation(request asked) : what(std::move(asked)), remaining(what.count()) {}
    operation(const operation&) = delete;
    operation& operator=(const operation&) = delete;
    virtual ~operation() = default;

    /// Called once, when `done` has become true. Must not call back into the pipeline.
    virtual void on_done() noexcept {}

    request what;
    replies answers;
    error_code failure;  ///< Why there are no answers, once `done`.
    bool done = false;
    bool abandoned = false;  ///< Nobody waits any more: its replies are read and dropped.
    bool queued = false;     ///< Waits to be written.
    bool ran = false;        ///< Some of it was written, so it may have run.

private:
    friend class pipeline;
    /// A script call that Redis refused with NOSCRIPT, and which of the SCRIPT LOADs cures it.
    struct retried_call {
        std::size_t index;
        std::size_t load;
    };
    std::size_t remaining;
    std::string again;  ///< What repeats the refused script calls.
    std::vector<retried_call> retried;
    std::size_t loads = 0;
    std::uint32_t rounds = 0;
};

/// The order of requests and replies on one connection after another, without the connection:
/// bytes out, bytes in. Not thread-safe.
///
/// The owner pushes operations, writes what take_output() gives it, feeds what it reads, and says
/// when the connection is gone.
class pipeline {
public:
    void push(std::shared_ptr<operation> what);
    /// The one who waited for `what` has gone. What is not written yet never will be.
    void abandon(operation& what) noexcept;

    [[nodiscard]] bool has_output() const noexcept { return !queue_.empty(); }
    /// Bytes of the operations that wait to be written.
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return queued_bytes_; }
    /// Appends whole operations to `out` until there are none left or `out` holds `limit` bytes.
    void take_output(std::string& out, std::size_t limit);

    /// For connections to what may be demoted: a reply of READONLY then counts as the loss of the
    /// connection, which has to be made anew to another server.
    void treat_replica_as_lost(bool wanted) noexcept { masters_only_ = wanted; }

    /// Whether that is why feed() gave up last.
    [[nodiscard]] bool met_replica() const noexcept { return met_replica_; }

    /// Reads replies and completes operations. Errors: redis_errc::protocol, and connection_lost if
    /// the server has become a replica.
    [[nodiscard]] result<> feed(std::string_view bytes);

    /// True while a reply is owed to us.
    [[nodiscard]] bool waiting() const noexcept { return !in_flight_.empty(); }
    /// How much longer than usual the next reply may take. Only while waiting().
    [[nodiscard]] std::chrono::milliseconds head_delay() const noexcept {
        return in_flight_.front()->what.extra_;
    }

    /// The connection is gone: the operation at the head fails for `cause`, the others that were
    /// written with connection_lost. What was not written stays for the next connection.
    void disconnected(error_code cause);
    /// Fails all that was not written.
    void fail_queued(error_code cause);

private:
    void teach_scripts(const operation& what, std::string& out);
    void settle(const std::shared_ptr<operation>& what);
    static void splice(operation& what);
    [[nodiscard]] static bool prepare_retry(operation& what);
    [[nodiscard]] static std::string_view unsent(const operation& what) noexcept {
        return what.ran ? std::string_view(what.again) : std::string_view(what.what.bytes_);
    }
    static void finish(operation& what, error_code failure) noexcept;

    std::deque<std::shared_ptr<operation>> queue_;
    std::deque<std::shared_ptr<operation>> in_flight_;
    std::size_t queued_bytes_ = 0;
    bool masters_only_ = false;
    bool met_replica_ = false;
    /// What this connection's Redis was told with SCRIPT LOAD.
    boost::unordered_flat_set<std::string> known_scripts_;
    reply_reader reader_;
};

}  // namespace tocsin::redis
