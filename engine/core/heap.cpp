#include "engine/core/heap.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <memory>
#include <new>

#include <malloc.h>

namespace tocsin {
namespace {

// Larger than any reply of a page of devices, smaller than what would tear holes into a heap.
constexpr int largest_block = 1 << 20;
// What prepare_heap() takes at once: less than largest_block, so that it comes from the thread's heap.
constexpr std::size_t piece = std::size_t{512} * 1024;
constexpr std::size_t most_pieces = 256;
constexpr std::size_t smallest_page = 4096;

}  // namespace

void keep_freed_memory(std::size_t most) noexcept {
    // If it does not take a value, the allocator goes on as it always does.
    static_cast<void>(mallopt(M_MMAP_THRESHOLD, largest_block));
    static_cast<void>(mallopt(M_TRIM_THRESHOLD, static_cast<int>(std::min<std::size_t>(most, INT_MAX))));
}

void prepare_heap(std::size_t bytes) noexcept {
    std::array<std::unique_ptr<char[]>, most_pieces> taken;
    const std::size_t count = std::min(most_pieces, bytes / piece);
    for (std::size_t i = 0; i < count; ++i) {
        taken.at(i).reset(new (std::nothrow) char[piece]);
        if (taken.at(i) == nullptr) {
            return;
        }
        // Volatile: what is never read would not be written, either.
        volatile char* const begin = taken.at(i).get();
        for (std::size_t at = 0; at < piece; at += smallest_page) {
            begin[at] = 0;
        }
    }
}

}  // namespace tocsin
