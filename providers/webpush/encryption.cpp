#include "providers/webpush/encryption.hpp"

#include "engine/event/subscription.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <new>
#include <utility>

namespace tocsin::webpush {
namespace {

constexpr std::size_t block_size = 64;  // Of SHA-256.
constexpr std::uint32_t record_size = largest_body;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t point_offset = header_size - point_size;
constexpr unsigned char uncompressed = 0x04;

/// The text with the NUL behind it, which both RFCs have in these places.
template <std::size_t Size>
std::span<const unsigned char> with_nul(const char (&text)[Size]) noexcept {
    return {reinterpret_cast<const unsigned char*>(text), Size};
}

std::span<const unsigned char> bytes_of(std::string_view text) noexcept {
    return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

constexpr std::array<unsigned char, 1> one{0x01};

}  // namespace

encryptor::~encryptor() = default;

result<encryptor> encryptor::create(std::shared_ptr<key_source> ahead) {
    encryptor out;
    if (ahead != nullptr) {
        out.batch_.reset(new (std::nothrow) key_batch);
        if (out.batch_ != nullptr) {
            out.ahead_ = std::move(ahead);
        }
    }
    out.curve_.reset(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    out.scratch_.reset(BN_CTX_secure_new());
    out.scalar_.reset(BN_secure_new());
    out.x_.reset(BN_secure_new());
    out.sha256_.reset(EVP_MD_fetch(nullptr, "SHA256", nullptr));
    out.hash_.reset(EVP_MD_CTX_new());
    out.aes_.reset(EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr));
    out.cipher_.reset(EVP_CIPHER_CTX_new());
    if (out.curve_ != nullptr) {
        out.ours_.reset(EC_POINT_new(out.curve_.get()));
        out.theirs_.reset(EC_POINT_new(out.curve_.get()));
        out.shared_.reset(EC_POINT_new(out.curve_.get()));
    }
    if (out.scratch_ == nullptr || out.scalar_ == nullptr || out.x_ == nullptr || out.sha256_ == nullptr ||
        out.hash_ == nullptr || out.aes_ == nullptr || out.cipher_ == nullptr || out.ours_ == nullptr ||
        out.theirs_ == nullptr || out.shared_ == nullptr) {
        ERR_clear_error();
        return make_error_code(boost::system::errc::not_enough_memory);
    }
    BN_set_flags(out.scalar_.get(), BN_FLG_CONSTTIME);
    return out;
}

bool encryptor::hmac(
    std::span<const unsigned char> key, std::initializer_list<std::span<const unsigned char>> pieces,
    digest& out) noexcept {
    // By hand (RFC 2104), because OpenSSL 3.0 makes a context of its own for each key. All keys are short.
    std::array<unsigned char, block_size> pad{};
    std::ranges::copy(key, pad.begin());
    for (unsigned char& byte : pad) {
        byte ^= 0x36U;
    }
    bool fine = EVP_DigestInit_ex2(hash_.get(), sha256_.get(), nullptr) == 1 &&
                EVP_DigestUpdate(hash_.get(), pad.data(), pad.size()) == 1;
    for (const auto piece : pieces) {
        fine = fine && EVP_DigestUpdate(hash_.get(), piece.data(), piece.size()) == 1;
    }
    digest inner{};
    fine = fine && EVP_DigestFinal_ex(hash_.get(), inner.data(), nullptr) == 1;
    for (unsigned char& byte : pad) {
        byte ^= 0x36U ^ 0x5cU;
    }
    fine = fine && EVP_DigestInit_ex2(hash_.get(), sha256_.get(), nullptr) == 1 &&
           EVP_DigestUpdate(hash_.get(), pad.data(), pad.size()) == 1 &&
           EVP_DigestUpdate(hash_.get(), inner.data(), inner.size()) == 1 &&
           EVP_DigestFinal_ex(hash_.get(), out.data(), nullptr) == 1;
    OPENSSL_cleanse(pad.data(), pad.size());
    return fine;
}

bool encryptor::multiply_base(const BIGNUM* scalar, std::span<unsigned char> point) noexcept {
    return EC_POINT_mul(curve_.get(), ours_.get(), scalar, nullptr, nullptr, scratch_.get()) == 1 &&
           EC_POINT_point2oct(
               curve_.get(), ours_.get(), POINT_CONVERSION_UNCOMPRESSED, point.data(), point.size(),
               scratch_.get()) == point.size();
}

/// ECDH: the x coordinate of our scalar times their point (RFC 8291, section 3.1).
bool encryptor::agree(std::string_view keys, digest& secret) noexcept {
    std::array<unsigned char, point_size> written{uncompressed};
    std::ranges::copy(bytes_of(keys.substr(0, subscription_point_size)), written.begin() + 1);
    // It was checked when it was registered; this looks again, for what stands in Redis may be damaged. P-256
    // has no subgroups, so a point on the curve is all that is needed.
    return EC_POINT_oct2point(curve_.get(), theirs_.get(), written.data(), written.size(), scratch_.get()) ==
               1 &&
           EC_POINT_mul(curve_.get(), shared_.get(), nullptr, theirs_.get(), scalar_.get(), scratch_.get()) ==
               1 &&
           EC_POINT_get_affine_coordinates(curve_.get(), shared_.get(), x_.get(), nullptr, scratch_.get()) ==
               1 &&
           BN_bn2binpad(x_.get(), secret.data(), static_cast<int>(secret.size())) ==
               static_cast<int>(secret.size());
}

bool encryptor::seal(
    const digest& key, const digest& nonce, std::string_view plaintext, unsigned char* out) noexcept {
    constexpr unsigned char last_record = 0x02;  // RFC 8188, section 2.
    static_assert(nonce_size == 12, "the length that GCM takes without being told");
    int size = 0;
    int more = 0;
    return EVP_EncryptInit_ex2(cipher_.get(), aes_.get(), key.data(), nonce.data(), nullptr) == 1 &&
           EVP_EncryptUpdate(
               cipher_.get(), out, &size, bytes_of(plaintext).data(), static_cast<int>(plaintext.size())) ==
               1 &&
           EVP_EncryptUpdate(cipher_.get(), out + size, &more, &last_record, 1) == 1 &&
           EVP_EncryptFinal_ex(cipher_.get(), out + size + more, &size) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher_.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, out + plaintext.size() + 1) ==
               1;
}

bool encryptor::make_scalar() noexcept {
    return BN_priv_rand_range_ex(scalar_.get(), EC_GROUP_get0_order(curve_.get()), 0, scratch_.get()) == 1 &&
           BN_is_zero(scalar_.get()) == 0;
}

bool encryptor::make_key(ephemeral_key& out) noexcept {
    const bool made = make_scalar() && multiply_base(scalar_.get(), out.point) &&
                      BN_bn2binpad(scalar_.get(), out.scalar.data(), static_cast<int>(out.scalar.size())) ==
                          static_cast<int>(out.scalar.size());
    if (!made) {
        ERR_clear_error();
    }
    return made;
}

bool encryptor::has_key_ahead() noexcept {
    if (left_ == 0 && ahead_ != nullptr) {
        if (messages_until_asked_ != 0) {
            --messages_until_asked_;
        } else if (left_ = ahead_->take(*batch_); left_ == 0) {
            messages_until_asked_ = keys_at_once;
        }
    }
    return left_ != 0;
}

bool encryptor::fresh_key(std::span<unsigned char> point) noexcept {
    if (!has_key_ahead()) {
        return make_scalar() && multiply_base(scalar_.get(), point);
    }
    ephemeral_key& made = (*batch_)[--left_];
    const bool taken =
        BN_bin2bn(made.scalar.data(), static_cast<int>(made.scalar.size()), scalar_.get()) != nullptr;
    std::ranges::copy(made.point, point.begin());
    OPENSSL_cleanse(made.scalar.data(), made.scalar.size());
    return taken;
}

bool encryptor::fits(
    std::string_view keys, std::string_view plaintext, std::span<unsigned char> out) noexcept {
    return keys.size() == subscription_keys_size && plaintext.size() <= largest_plaintext &&
           out.size() >= body_size(plaintext.size());
}

std::optional<std::size_t> encryptor::encrypt(
    std::string_view keys, std::string_view plaintext, std::span<unsigned char> out) noexcept {
    if (!fits(keys, plaintext, out) || RAND_bytes(out.data(), salt_size) != 1 ||
        !fresh_key(out.subspan(point_offset, point_size))) {
        ERR_clear_error();
        return std::nullopt;
    }
    return encrypt_for(keys, plaintext, out);
}

std::optional<std::size_t> encryptor::encrypt_with(
    std::span<const unsigned char, scalar_size> private_key, std::span<const unsigned char, salt_size> salt,
    std::string_view keys, std::string_view plaintext, std::span<unsigned char> out) noexcept {
    if (!fits(keys, plaintext, out) ||
        BN_bin2bn(private_key.data(), static_cast<int>(private_key.size()), scalar_.get()) == nullptr ||
        !multiply_base(scalar_.get(), out.subspan(point_offset, point_size))) {
        ERR_clear_error();
        return std::nullopt;
    }
    std::ranges::copy(salt, out.begin());
    return encrypt_for(keys, plaintext, out);
}

/// With the salt and our point in their places, and the private key in scalar_.
std::optional<std::size_t> encryptor::encrypt_for(
    std::string_view keys, std::string_view plaintext, std::span<unsigned char> out) noexcept {
    const auto salt = out.first(salt_size);
    const auto our_point = out.subspan(point_offset, point_size);
    const auto their_point = bytes_of(keys.substr(0, subscription_point_size));
    const auto auth = bytes_of(keys.substr(subscription_point_size));
    constexpr std::array<unsigned char, 1> prefix{uncompressed};
    digest secret{};
    digest prk{};
    digest input{};
    digest key{};
    digest nonce{};
    // RFC 8291, section 3.4, then RFC 8188, sections 2.2 and 2.3.
    const bool fine = agree(keys, secret) && hmac(auth, {secret}, prk) &&
                      hmac(prk, {with_nul("WebPush: info"), prefix, their_point, our_point, one}, input) &&
                      hmac(salt, {input}, prk) &&
                      hmac(prk, {with_nul("Content-Encoding: aes128gcm"), one}, key) &&
                      hmac(prk, {with_nul("Content-Encoding: nonce"), one}, nonce) &&
                      seal(key, nonce, plaintext, out.data() + header_size);
    for (digest* each : {&secret, &prk, &input, &key}) {
        OPENSSL_cleanse(each->data(), each->size());
    }
    if (!fine) {
        ERR_clear_error();
        return std::nullopt;
    }
    auto* at = out.data() + salt_size;
    for (int shift = 24; shift >= 0; shift -= 8) {
        *at++ = static_cast<unsigned char>(record_size >> static_cast<unsigned>(shift));
    }
    *at = static_cast<unsigned char>(point_size);
    return body_size(plaintext.size());
}

}  // namespace tocsin::webpush
