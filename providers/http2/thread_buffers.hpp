#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace tocsin::http2 {

/// Where the connections of one thread put what they have just read, and what they are about to write.
///
/// A connection uses them within one call and leaves nothing behind, so one set serves all of them: it stays
/// in the processor's cache, and a hundred connections take the memory of one.
struct thread_buffers {
    static constexpr std::size_t read_size = std::size_t{64} * 1024;
    static constexpr std::size_t record_size = std::size_t{16} * 1024;

    std::unique_ptr<char[]> cipher = std::make_unique_for_overwrite<char[]>(read_size);
    std::unique_ptr<char[]> plain = std::make_unique_for_overwrite<char[]>(record_size);
    std::string wire;
};

}  // namespace tocsin::http2
