#pragma once

#include <cstddef>
#include <cstdint>

namespace tocsin::sim {

/// What a draw decides; each purpose has draws of its own.
enum class purpose : std::uint64_t { dead = 1, error = 2, latency = 3 };

/// Mixes 64 bits so that every bit of the input moves half the bits of the output (the finaliser
/// of SplitMix64).
constexpr std::uint64_t scramble(std::uint64_t x) noexcept {
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31U);
}

/// 64 random bits that depend on the token, the seed and how often the token was seen, and on
/// nothing else: whatever the order of arrival, the same push has the same fate.
constexpr std::uint64_t draw(
    std::uint64_t key, std::uint64_t seed, purpose what, std::uint64_t attempt = 0) noexcept {
    return scramble(key ^ scramble(seed ^ scramble(static_cast<std::uint64_t>(what) << 32U ^ attempt)));
}

/// A number in [0, 1).
constexpr double unit(std::uint64_t bits) noexcept {
    return static_cast<double>(bits >> 11U) * 0x1p-53;
}

/// Chance without a token: one per connection.
class dice {
public:
    explicit constexpr dice(std::uint64_t seed) noexcept : state_(seed) {}

    /// True in `share` of the calls; costs nothing when the share is 0.
    [[nodiscard]] constexpr bool hit(double share) noexcept { return share > 0 && roll() < share; }
    /// A number in [0, 1).
    [[nodiscard]] constexpr double roll() noexcept { return unit(bits()); }
    [[nodiscard]] constexpr std::uint64_t bits() noexcept { return scramble(state_++); }
    /// One of `count`, from 0.
    [[nodiscard]] constexpr std::size_t choose(std::size_t count) noexcept {
        return count == 1 ? 0 : static_cast<std::size_t>(roll() * static_cast<double>(count));
    }

private:
    std::uint64_t state_;
};

}  // namespace tocsin::sim
