#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/control/control_board.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/event/registration.hpp"
#include "engine/intake/intake_stream.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/dead_letters.hpp"
#include "engine/plan/event_preparer.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tocsin {

/// The change of the store that a registration asks for.
[[nodiscard]] device_change to_change(registration what);

/// What to do with territories that nobody is sent to for: of communes that merged, or that the app no longer
/// serves.
enum class dormant_territories : std::uint8_t {
    left_out,
    kept,  ///< As long as they existed once: what the store holds must fit into it again.
};

/// A registration that there is a place for.
struct admission {
    // Not an aggregate: one could be made from a refusal, and then parsed<admission> could not tell them
    // apart.
    admission() = default;

    std::optional<refusal> left_out{};  ///< Of what it followed something was taken out, and why.
    std::vector<territory> dormant{};   ///< What was kept although nobody is sent to for it.
};

/// Whether the configured apps and the territories have a place for a registration. One that would find
/// nobody by a part of what it follows loses that part: a resident must not go without alerts for an old code
/// in a list. Refuses what would be found by nothing.
[[nodiscard]] parsed<admission> admit(
    registration& what, const event_preparer& known, dormant_territories dormant);

/// Reads the `registrations` stream into the device store. Of all engines one does so at a time, by
/// a lease in Redis: what an app says of one device takes effect in the order in which it was said.
class registrar final : public entry_handler {
public:
    registrar(
        redis::client& redis, device_store& store, dead_letters& letters, control_board& board,
        const event_preparer& known, std::string instance, const time_source& time, logger& log,
        metrics_shard& metrics)
        : redis_(redis),
          store_(store),
          letters_(letters),
          board_(board),
          known_(known),
          instance_(std::move(instance)),
          time_(time),
          log_(log),
          metrics_(metrics) {}

    [[nodiscard]] const incoming_stream& stream() const noexcept override { return registration_stream; }
    /// It is the only reader: what the one before has left is its own at once.
    [[nodiscard]] std::chrono::milliseconds takeover(std::chrono::milliseconds) const noexcept override {
        return std::chrono::milliseconds(0);
    }
    boost::asio::awaitable<result<read_permission>> ask_to_read() override;
    boost::asio::awaitable<result<>> handle(std::vector<redis::stream_entry>& entries) override;
    boost::asio::awaitable<void> leave() override;

private:
    struct batch;
    [[nodiscard]] batch read(const std::vector<redis::stream_entry>& entries) const;
    boost::asio::awaitable<result<>> post_letter(const redis::stream_entry& entry, refusal why);

    redis::client& redis_;
    device_store& store_;
    dead_letters& letters_;
    control_board& board_;
    const event_preparer& known_;
    std::string instance_;
    const time_source& time_;
    logger& log_;
    metrics_shard& metrics_;
};

}  // namespace tocsin
