#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

// What of a broken connection has never left this machine: its requests cannot have reached anybody.

namespace tocsin::http2 {

/// Takes back what the kernel holds of `socket` and has not sent once; how many bytes, counted from the last
/// one that it was given. Whatever was sent, though it was never acknowledged, may have arrived and is not
/// counted. A connection that may still send ends here, with a reset: else it would go on sending after it
/// was closed. 0 if the kernel cannot tell.
[[nodiscard]] std::size_t take_back_unsent(int socket) noexcept;

/// Where in the ciphertext of a connection its plaintext is, as far back as a kernel may hold it.
class write_log {
public:
    /// A write begins: so much was written before it, in plaintext and in ciphertext.
    void note(std::uint64_t plain, std::uint64_t cipher) noexcept {
        entries_[count_++ % most] = {plain, cipher};
    }
    /// From which byte of the plaintext on, of `plain_end` in all, every byte lies at or behind the
    /// `cipher`th of the ciphertext. Never too early: encryption only adds bytes.
    [[nodiscard]] std::uint64_t plain_behind(std::uint64_t cipher, std::uint64_t plain_end) const noexcept;

private:
    struct entry {
        std::uint64_t plain;
        std::uint64_t cipher;
    };
    static constexpr std::size_t most = 256;  // What is written in small pieces is soon sent.
    std::unique_ptr<entry[]> entries_ = std::make_unique_for_overwrite<entry[]>(most);
    std::size_t count_ = 0;
};

}  // namespace tocsin::http2
