#pragma once

#include <atomic>
#include <cstdint>

namespace tocsin {

/// A number that one thread raises and any thread may read.
///
/// There is a single writer, so a plain load and store is enough: no locked instruction on the
/// path that every push takes.
class owned_counter {
public:
    void add(std::uint64_t amount) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

}  // namespace tocsin
