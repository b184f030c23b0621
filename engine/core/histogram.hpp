#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tocsin {

/// Maps a value to one of a few hundred buckets whose width grows with the value: exact below
/// 16, and within 1/16 (6.25 %) above.
///
/// A value is a count of whatever the caller measures in (milliseconds for events, microseconds
/// for pushes); values past the last bucket land in it.
struct log_linear {
    static constexpr unsigned sub_bits = 4;
    static constexpr std::uint32_t sub_count = 1U << sub_bits;
    static constexpr unsigned top_bit = 40;
    static constexpr std::size_t bucket_count = (top_bit - sub_bits + 2) * sub_count;

    [[nodiscard]] static constexpr std::size_t index_of(std::uint64_t value) noexcept {
        if (value < sub_count) {
            return static_cast<std::size_t>(value);
        }
        const auto top = static_cast<unsigned>(std::bit_width(value)) - 1;
        if (top > top_bit) {
            return bucket_count - 1;
        }
        const unsigned shift = top - sub_bits;
        return (std::size_t{shift} + 1) * sub_count + static_cast<std::size_t>((value >> shift) - sub_count);
    }

    /// The largest value that falls into bucket `index`.
    [[nodiscard]] static constexpr std::uint64_t upper_bound(std::size_t index) noexcept {
        if (index < sub_count) {
            return index;
        }
        const std::size_t shift = index / sub_count - 1;
        const std::uint64_t base = (index % sub_count) + sub_count;
        return ((base + 1) << shift) - 1;
    }
};

/// Counts per bucket, owned by one thread; merge() adds another's.
class histogram {
public:
    void record(std::uint64_t value, std::uint64_t times = 1) noexcept {
        add_bucket(log_linear::index_of(value), times);
    }
    void add_bucket(std::size_t index, std::uint64_t times) noexcept {
        counts_[index < counts_.size() ? index : counts_.size() - 1] += times;
        total_ += times;
    }
    void merge(const histogram& other) noexcept {
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            counts_[i] += other.counts_[i];
        }
        total_ += other.total_;
    }
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    [[nodiscard]] const auto& counts() const noexcept { return counts_; }

    /// The value below which the share `q` (0 to 1) of what was recorded lies; 0 when empty.
    [[nodiscard]] std::uint64_t quantile(double q) const noexcept {
        if (total_ == 0) {
            return 0;
        }
        auto rank = static_cast<std::uint64_t>(q * static_cast<double>(total_));
        rank = rank >= total_ ? total_ - 1 : rank;
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen > rank) {
                return log_linear::upper_bound(i);
            }
        }
        return log_linear::upper_bound(counts_.size() - 1);
    }

private:
    std::array<std::uint64_t, log_linear::bucket_count> counts_{};
    std::uint64_t total_ = 0;
};

}  // namespace tocsin
