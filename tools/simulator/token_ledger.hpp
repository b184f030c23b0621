#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

namespace tocsin::sim {

struct token_counts {
    std::uint32_t received = 0;  ///< Requests that passed the provider's checks.
    std::uint32_t accepted = 0;  ///< Of those, how many were accepted: notifications on the phone.

    friend bool operator==(const token_counts&, const token_counts&) = default;
};

struct ledger_totals {
    std::uint64_t tokens = 0;          ///< Distinct tokens seen.
    std::uint64_t accepted = 0;        ///< Distinct tokens with at least one acceptance.
    std::uint64_t accepted_twice = 0;  ///< Distinct tokens with more than one.
    std::uint64_t repeats = 0;         ///< Acceptances beyond each token's first.
};

/// How often each device token was received and accepted: what proves that nothing was lost and
/// nothing was sent twice.
///
/// 12 bytes a place for tens of millions of tokens, counts saturate at most_counted. Tokens are known by
/// token_key(): at 24 million of them the odds that any two share a key are 1 in 60,000.
/// Thread-safe: a lock per 1/64 of the keys.
class token_ledger {
public:
    static constexpr std::uint32_t most_counted = 65'535;

    token_ledger() = default;
    token_ledger(const token_ledger&) = delete;
    token_ledger& operator=(const token_ledger&) = delete;

    /// Counts a request for `key`; `decide(attempt)` says, under the lock, whether it is accepted.
    /// `attempt` is how many requests came before.
    template <class Decide>
    void record(std::uint64_t key, Decide&& decide) {
        shard& part = shards_[key >> 58U];
        const std::lock_guard lock(part.mutex);
        place& slot = part.find_or_add(key);
        const std::uint32_t attempt = slot.received;
        slot.received = raised(slot.received);
        if (decide(attempt)) {
            part.count_acceptance(slot);
        }
    }

    /// Undoes one record(): the provider has promised that it never happened.
    void take_back(std::uint64_t key, bool was_accepted);

    [[nodiscard]] token_counts counts(std::uint64_t key) const;
    [[nodiscard]] ledger_totals totals() const;
    void clear();

private:
    // Packed to 12 bytes: the key would align it to 16.
    struct place {
        std::uint32_t key_low = 0;
        std::uint32_t key_high = 0;
        std::uint16_t received = 0;
        std::uint16_t accepted = 0;

        [[nodiscard]] std::uint64_t key() const noexcept { return std::uint64_t{key_high} << 32U | key_low; }
    };
    static_assert(sizeof(place) == 12);

    // Its own cache line: threads that lock neighbours must not share one.
    struct alignas(64) shard {
        mutable std::mutex mutex;
        std::vector<place> places;  // A power of two of them, or none; linear probing.
        ledger_totals totals;

        place& find_or_add(std::uint64_t key);
        [[nodiscard]] const place* find(std::uint64_t key) const noexcept;
        void count_acceptance(place& slot) noexcept;
        void grow();
    };

    static constexpr std::uint16_t raised(std::uint16_t count) noexcept {
        return count == 0xFFFFU ? count : static_cast<std::uint16_t>(count + 1);
    }

    std::array<shard, 64> shards_;
};

}  // namespace tocsin::sim
