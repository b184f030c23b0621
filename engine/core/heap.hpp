#pragma once

#include <cstddef>

namespace tocsin {

/// Tells the allocator to keep what the process frees, up to `most` bytes at the end of each thread's heap,
/// and to serve blocks of up to a megabyte from the heap, too. Otherwise glibc gives them back to the system
/// and takes them again, with a page fault for every 4 KiB. For the program to call, once. Source:
/// mallopt(3).
void keep_freed_memory(std::size_t most) noexcept;

/// Takes `bytes`, 128 MiB at most, for the heap of the thread that calls, and writes to every page of them:
/// the system finds pages now, and not when an alert comes. Call keep_freed_memory() before. If the system
/// has less, it does what it can.
void prepare_heap(std::size_t bytes) noexcept;

}  // namespace tocsin
