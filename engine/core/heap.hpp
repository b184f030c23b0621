#pragma once

#include <cstddef>

namespace tocsin {

/// Tells the allocator to keep what the process frees, up to `most` bytes at the end of each thread's heap,
/// and to take blocks of some hundred kilobytes from the heap, too. glibc else gives them back to the system
/// and takes them again, a page fault for every 4 KiB. See mallopt(3). For the program to call, once.
void keep_freed_memory(std::size_t most) noexcept;

/// Takes `bytes` for the heap of the thread that calls, and writes to every page of them: the system finds
/// pages now, and not when an alert comes. Worth something only after keep_freed_memory(). Does what it can
/// if the system has less.
void prepare_heap(std::size_t bytes) noexcept;

}  // namespace tocsin
