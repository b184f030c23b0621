#pragma once

#include "engine/audience/audience.hpp"
#include "engine/core/clock.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/event/publish_event.hpp"
#include "engine/plan/shard.hpp"
#include "engine/plan/timetable.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// What a target's provider has made of one localisation of an event's message so far.
struct variant_reception {
    /// It takes it for nobody: what is not sent to it yet is not sent.
    std::atomic<bool> rejected{false};
    /// It took it for somebody: what it refuses now is the fault of something else.
    std::atomic<bool> accepted{false};
    std::atomic<std::uint32_t> refusals{0};

    void note_accepted() noexcept {
        // Looked at first: the line stays shared between the threads instead of being written by all.
        if (!accepted.load(std::memory_order_relaxed)) {
            accepted.store(true, std::memory_order_relaxed);
        }
    }
    /// True if this refusal is the one that is believed: several say so, and nobody has taken it. A device
    /// of a kind that the provider cannot serve must not silence an alert for all others.
    [[nodiscard]] bool refuse() noexcept {
        return !accepted.load(std::memory_order_relaxed) && ++refusals >= refusals_to_believe &&
               !rejected.exchange(true);
    }
    void forget() noexcept {
        rejected = false;
        accepted = false;
        refusals = 0;
    }

    static constexpr std::uint32_t refusals_to_believe = 30;
};

/// The same of the whole message, on all threads of this engine: what one language's text provokes is not
/// held against the others.
struct message_reception {
    [[nodiscard]] variant_reception& of(std::uint16_t variant) noexcept {
        return variants[std::min<std::size_t>(variant, variants.size() - 1)];
    }
    /// The message is another one from now on.
    void forget() noexcept {
        for (variant_reception& one : variants) {
            one.forget();
        }
    }

    /// Further localisations share the last.
    std::array<variant_reception, 64> variants;
};

/// The provider's words that an event's result may name: a peer that invents one for each answer must not
/// fill the ledger. Thread-safe; asked once a page.
class reason_names {
public:
    [[nodiscard]] std::string_view admit(std::string_view reason) {
        const std::scoped_lock lock(mutex_);
        if (known_.contains(reason)) {
            return reason;
        }
        if (known_.size() >= most) {
            return "Other";
        }
        known_.emplace(reason);
        return reason;
    }

private:
    static constexpr std::size_t most = 100;
    std::mutex mutex_;
    std::set<std::string, std::less<>> known_;
};

/// An unfinished event as this engine knows it. Shared by all threads; only the flags change.
struct active_event {
    std::string id;
    std::string entry;       ///< Of the stream of events.
    std::uint64_t seed = 0;  ///< Of push_uuid().
    publish_event content;
    tocsin::audience audience;
    wall_time accepted_at{};
    time_point expires{};  ///< content.expires_at on the steady clock.
    std::vector<target> targets;
    std::map<target, std::shared_ptr<const message>> messages;
    /// Devices named by a selector: they have a shard of their own and are passed over in rosters.
    std::set<std::string, std::less<>> named_devices;  ///< see named_device()
    bool counts_communes = false;
    timetable when;  ///< Of its pages.
    std::uint32_t pages_planned = 0;
    std::uint64_t generation = 0;  ///< Of the configuration that `messages` were rendered under.

    std::atomic<bool> cancelled{false};
    /// One entry for each of `messages`; only what is in it changes.
    std::map<target, message_reception> reception;
    reason_names reasons;
    /// Pages whose dead devices are being removed right now.
    std::atomic<int> pruning{0};
    /// Since when, on the steady clock, dead devices of it wait to be removed at its end; 0: none do.
    std::atomic<duration::rep> removals_wait_since{0};
};

/// How a named device is written in active_event::named_devices.
[[nodiscard]] inline std::string named_device(platform on, std::string_view token) {
    return std::string(1, static_cast<char>(on)) + std::string(token);
}

}  // namespace tocsin
