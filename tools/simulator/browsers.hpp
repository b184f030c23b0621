#pragma once

#include "engine/core/c_handle.hpp"
#include "engine/core/error.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::sim {

/// A browser that has subscribed to the simulator's push service.
struct browser {
    std::string endpoint;
    std::string point;  ///< Uncompressed, 65 bytes.
    std::string auth;   ///< 16 bytes.
};

/// The browsers that the push service knows: as many as anybody asks for, each made of its number and a
/// secret alone, so that nothing needs to be kept. They share a few key pairs: what a sender does for each of
/// them is the same. Immutable; threads may share one.
class browsers {
public:
    static constexpr std::size_t key_pairs = 64;

    /// Empty error if OpenSSL cannot make keys.
    [[nodiscard]] static result<std::shared_ptr<const browsers>> create(std::string secret);

    /// The browser of that number at the service `origin` ("https://localhost:8448").
    [[nodiscard]] browser at(std::uint64_t number, std::string_view origin) const;
    /// Whose path that is; empty if nobody's.
    [[nodiscard]] std::optional<std::uint64_t> whose(std::string_view path) const;

    [[nodiscard]] const BIGNUM& private_key(std::uint64_t number) const noexcept {
        return *pairs_[number % key_pairs].scalar;
    }
    [[nodiscard]] const std::string& point(std::uint64_t number) const noexcept {
        return pairs_[number % key_pairs].point;
    }
    [[nodiscard]] std::string auth(std::uint64_t number) const;

private:
    struct pair {
        c_handle<BIGNUM, BN_clear_free> scalar;
        std::string point;
    };

    explicit browsers(std::string secret) : secret_(std::move(secret)) {}
    [[nodiscard]] std::string digest(std::string_view purpose, std::uint64_t number) const;
    [[nodiscard]] std::string path(std::uint64_t number) const;

    std::string secret_;
    std::vector<pair> pairs_;
};

/// A subscription as PushSubscription.toJSON() has it.
[[nodiscard]] std::string subscription_json(const browser& of);

/// What a browser does with a message (RFC 8188 and 8291), written for the simulator alone: a mistake of the
/// engine's encryption is not made again here. Not thread-safe: one for each thread.
class push_reader {
public:
    explicit push_reader(std::shared_ptr<const browsers> known);

    /// The text; empty if it cannot be read. Lives until the next call.
    [[nodiscard]] std::optional<std::string_view> read(std::uint64_t number, std::string_view body);

private:
    [[nodiscard]] bool agree(std::uint64_t number, std::string_view their_point, std::string& secret);
    [[nodiscard]] bool open(std::string_view key, std::string_view nonce, std::string_view sealed);

    std::shared_ptr<const browsers> known_;
    c_handle<EC_GROUP, EC_GROUP_free> curve_;
    c_handle<BN_CTX, BN_CTX_free> scratch_;
    c_handle<EC_POINT, EC_POINT_free> theirs_;
    c_handle<EC_POINT, EC_POINT_free> shared_;
    c_handle<BIGNUM, BN_clear_free> x_;
    c_handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> cipher_;
    std::string text_;
};

}  // namespace tocsin::sim
