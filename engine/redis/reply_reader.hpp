#pragma once

#include "engine/core/c_handle.hpp"
#include "engine/core/error.hpp"
#include "engine/redis/reply.hpp"

#include <hiredis/read.h>

#include <cstddef>
#include <string_view>

namespace tocsin::redis {

/// Incremental RESP2 parser: bytes in, replies out. It knows no socket.
///
/// hiredis' parser builds our flat `replies` directly instead of its tree of mallocs. It reads
/// arrays nested up to 7 deep and bounds one array to 16 million elements.
///
///     reader.feed(bytes);
///     while (reader.next(into).value() == reply_reader::progress::complete) { … }
class reply_reader {
public:
    /// The most that one feed() should bring: hiredis moves the unread rest of its buffer to the front
    /// for each kilobyte that it has read, so a larger piece costs more a byte.
    static constexpr std::size_t chunk_size = std::size_t{16} * 1024;

    enum class progress { more_bytes, complete };

    reply_reader();
    reply_reader(const reply_reader&) = delete;
    reply_reader& operator=(const reply_reader&) = delete;

    /// Copies `bytes`; drain them with next() before the next feed().
    void feed(std::string_view bytes) noexcept;

    /// Reads on, and stops when one more reply stands at the end of `into`. A reply that needs more
    /// bytes must go on in the same `into`.
    ///
    /// Errors: redis_errc::protocol; the reader is useless then, until reset().
    [[nodiscard]] result<progress> next(replies& into);

    /// True if nothing is unread or half read.
    [[nodiscard]] bool idle() const noexcept;

    /// Forgets everything: for a new connection.
    void reset();

private:
    struct callbacks;  // What hiredis calls, kept out of the header.

    replies* into_ = nullptr;
    c_handle<redisReader, redisReaderFree> reader_;
};

}  // namespace tocsin::redis
