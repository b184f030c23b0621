#pragma once

#include "engine/core/c_handle.hpp"
#include "engine/core/error.hpp"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

// Message encryption for Web Push (RFC 8291) in its one content coding, aes128gcm (RFC 8188), as one record.

namespace tocsin::webpush {

constexpr std::size_t salt_size = 16;
constexpr std::size_t point_size = 65;  ///< Uncompressed, on P-256.
constexpr std::size_t scalar_size = 32;
/// Salt, record size, length of the key id, key id: what stands before the ciphertext.
constexpr std::size_t header_size = salt_size + 4 + 1 + point_size;
constexpr std::size_t tag_size = 16;
/// What every push service takes (RFC 8030, section 7.2).
constexpr std::size_t largest_body = 4096;
/// One byte ends the text.
constexpr std::size_t largest_plaintext = largest_body - header_size - tag_size - 1;
static_assert(largest_plaintext == 3993);

[[nodiscard]] constexpr std::size_t body_size(std::size_t plaintext) noexcept {
    return header_size + plaintext + 1 + tag_size;
}

/// A key pair that was made ahead, for one message. Forgets its secret when it goes.
struct ephemeral_key {
    std::array<unsigned char, scalar_size> scalar;
    std::array<unsigned char, point_size> point;

    ephemeral_key() noexcept = default;
    ephemeral_key(const ephemeral_key&) = delete;
    ephemeral_key& operator=(const ephemeral_key&) = delete;
    ~ephemeral_key() { OPENSSL_cleanse(scalar.data(), scalar.size()); }

    /// `other` is no key any more.
    void take_from(ephemeral_key& other) noexcept {
        scalar = other.scalar;
        point = other.point;
        OPENSSL_cleanse(other.scalar.data(), other.scalar.size());
    }
};

/// Where keys are that were made ahead.
class key_source {
public:
    /// Fills `out` from its beginning, and says with how many. Each key is given out once.
    [[nodiscard]] virtual std::size_t take(std::span<ephemeral_key> out) noexcept = 0;

protected:
    ~key_source() = default;
};

/// Encrypts, one message after another. Everything OpenSSL looks up or allocates is kept, so a message costs
/// the two multiplications on P-256 and little else. Not thread-safe: one for each thread.
class encryptor {
public:
    encryptor(const encryptor&) = delete;
    encryptor& operator=(const encryptor&) = delete;
    encryptor(encryptor&&) noexcept = default;
    encryptor& operator=(encryptor&&) noexcept = default;
    ~encryptor();

    /// Takes keys from `ahead` while that has some. Fails only if OpenSSL has no P-256, SHA-256 or
    /// AES-128-GCM, or no memory.
    [[nodiscard]] static result<encryptor> create(std::shared_ptr<key_source> ahead = nullptr);

    /// A key pair for one message, whoever encrypts it. False if the system has no random numbers.
    [[nodiscard]] bool make_key(ephemeral_key& out) noexcept;

    /// Writes body_size(plaintext.size()) bytes to `out`, with a key pair and a salt made for this message
    /// alone. `keys` are subscription_keys of a point that is on the curve. Empty if the system has no random
    /// numbers, the point is none, or the text is larger than largest_plaintext.
    [[nodiscard]] std::optional<std::size_t> encrypt(
        std::string_view keys, std::string_view plaintext, std::span<unsigned char> out) noexcept;

    /// The same with key and salt of the caller's: for known answers.
    [[nodiscard]] std::optional<std::size_t> encrypt_with(
        std::span<const unsigned char, scalar_size> private_key,
        std::span<const unsigned char, salt_size> salt, std::string_view keys, std::string_view plaintext,
        std::span<unsigned char> out) noexcept;

private:
    using digest = std::array<unsigned char, 32>;

    encryptor() = default;

    /// One HMAC-SHA-256 over the pieces.
    [[nodiscard]] bool hmac(
        std::span<const unsigned char> key, std::initializer_list<std::span<const unsigned char>> pieces,
        digest& out) noexcept;
    [[nodiscard]] bool make_scalar() noexcept;
    [[nodiscard]] bool multiply_base(const BIGNUM* scalar, std::span<unsigned char> point) noexcept;
    [[nodiscard]] bool has_key_ahead() noexcept;
    /// A key pair that nothing was encrypted with: the scalar in scalar_, the point in `point`.
    [[nodiscard]] bool fresh_key(std::span<unsigned char> point) noexcept;
    [[nodiscard]] bool agree(std::string_view keys, digest& secret) noexcept;
    [[nodiscard]] bool seal(
        const digest& key, const digest& nonce, std::string_view plaintext, unsigned char* out) noexcept;
    [[nodiscard]] static bool fits(
        std::string_view keys, std::string_view plaintext, std::span<unsigned char> out) noexcept;
    [[nodiscard]] std::optional<std::size_t> encrypt_for(
        std::string_view keys, std::string_view plaintext, std::span<unsigned char> out) noexcept;

    // Messages between two questions to the source: other threads ask it, too.
    static constexpr std::size_t keys_at_once = 64;
    using key_batch = std::array<ephemeral_key, keys_at_once>;

    std::shared_ptr<key_source> ahead_;     ///< Null: there is none.
    std::unique_ptr<key_batch> batch_;      ///< As ahead_.
    std::size_t left_ = 0;                  ///< Of the batch.
    std::size_t messages_until_asked_ = 0;  ///< Since the source had none.
    c_handle<EC_GROUP, EC_GROUP_free> curve_;
    c_handle<BN_CTX, BN_CTX_free> scratch_;
    c_handle<BIGNUM, BN_clear_free> scalar_;
    c_handle<BIGNUM, BN_clear_free> x_;
    c_handle<EC_POINT, EC_POINT_free> ours_;
    c_handle<EC_POINT, EC_POINT_free> theirs_;
    c_handle<EC_POINT, EC_POINT_free> shared_;
    c_handle<EVP_MD, EVP_MD_free> sha256_;
    c_handle<EVP_MD_CTX, EVP_MD_CTX_free> hash_;
    c_handle<EVP_CIPHER, EVP_CIPHER_free> aes_;
    c_handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> cipher_;
};

}  // namespace tocsin::webpush
