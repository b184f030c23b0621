#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/intake/stream_consumer.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/ops/settings.hpp"
#include "engine/plan/dead_letters.hpp"
#include "engine/redis/client.hpp"
#include "engine/redis/streams.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tocsin {

/// Whether an engine may read a stream that one engine reads at a time.
enum class read_permission : std::uint8_t { granted, denied };

/// What a stream that comes in means: the one thing that differs from stream to stream.
class entry_handler {
public:
    virtual ~entry_handler() = default;
    [[nodiscard]] virtual const incoming_stream& stream() const noexcept = 0;
    /// Entries that are read at a time.
    [[nodiscard]] virtual std::size_t batch_size() const noexcept { return 500; }
    /// How long other engines' entries rest before this one takes them over; `lease` is the engine's.
    [[nodiscard]] virtual std::chrono::milliseconds takeover(std::chrono::milliseconds lease) const noexcept {
        return lease;
    }
    /// Whether this engine is the one to read now. An error: Redis'.
    virtual boost::asio::awaitable<result<read_permission>> ask_to_read() {
        co_return read_permission::granted;
    }
    /// Handles and acknowledges all of `entries`. May be given again what it has handled before, after an
    /// error.
    virtual boost::asio::awaitable<result<>> handle(std::vector<redis::stream_entry>& entries) = 0;
    /// The engine reads no more: another one may at once.
    virtual boost::asio::awaitable<void> leave() { co_return; }
};

/// Reads one stream that comes in, for as long as the engine lives: leases, batches, errors of Redis, and
/// entries that cannot be handled.
///
/// An entry whose work Redis does not do holds up nobody: it is tried again in rounds, while what came behind
/// it is read. It is put aside as a dead letter only once it has failed several rounds and the work of others
/// was done meanwhile. What Redis declines altogether (OOM, READONLY, …) is no entry's fault, and waits.
///
/// Only so many failures are remembered. An entry that fails beyond these is tried again in each round like
/// the others, and judged from its first failure that there is room for. While there is none, each round
/// reads entries that nobody has seen only until one of them fails: one batch, if all fail.
class intake_stream {
public:
    /// Entries of which it is remembered how often they failed.
    static constexpr std::size_t most_suspects = 10'000;

    /// `from` is held up by blocking reads: nobody else may use it.
    intake_stream(
        redis::client& from, std::unique_ptr<entry_handler> to, const keyspace& keys,
        const engine_settings& how, dead_letters& letters, const time_source& time, logger& log,
        std::size_t room_for_suspects = most_suspects);

    /// Reads until stop(). Errors of Redis are waited out here.
    boost::asio::awaitable<void> run();
    void stop() noexcept { stopping_ = true; }
    /// After stop(): see entry_handler.
    boost::asio::awaitable<void> leave() { return to_->leave(); }
    /// Entries that have failed, are pending, and are remembered.
    [[nodiscard]] std::size_t suspects() const noexcept { return suspects_.size(); }

private:
    /// An entry that failed, while others may not.
    struct suspicion {
        std::uint32_t failures = 0;        ///< At most one a round.
        std::uint64_t handled_before = 0;  ///< Entries that were handled when it failed first.
        std::uint64_t round = 0;           ///< In which it failed last.
    };

    /// Reads and handles once. An error: Redis', and everything is read again.
    boost::asio::awaitable<result<>> read();
    boost::asio::awaitable<result<>> handle(std::vector<redis::stream_entry>& entries);
    boost::asio::awaitable<result<>> handle_alone(redis::stream_entry& entry);
    boost::asio::awaitable<result<>> suspect(const redis::stream_entry& entry, error_code why);
    /// Once all that is pending was tried, and what is new was asked for.
    [[nodiscard]] bool round_is_over() const;
    void begin_round();
    /// Another engine, or an operator, has seen to these.
    void forget_what_is_no_longer_pending();
    boost::asio::awaitable<result<>> put_aside(const redis::stream_entry& entry, error_code why);

    std::unique_ptr<entry_handler> to_;
    std::string key_;
    stream_consumer from_;
    dead_letters& letters_;
    const time_source& time_;
    logger& log_;
    std::map<std::string, suspicion, std::less<>> suspects_;  ///< By entry: of those that are still pending.
    std::size_t room_for_suspects_;
    std::uint64_t handled_ = 0;
    std::uint64_t round_ = 0;
    time_point next_round_{};
    std::size_t not_remembered_ = 0;  ///< Failures in this round that there was no room for.
    bool asked_for_new_ = false;      ///< In this round.
    bool crowded_ = false;            ///< What is new waits for the next round.
    bool reading_ = false;
    bool stopping_ = false;
};

/// What a dead letter keeps of an entry without the expected field: its fields as JSON.
[[nodiscard]] std::string fields_as_json(const redis::stream_entry& entry);

}  // namespace tocsin
