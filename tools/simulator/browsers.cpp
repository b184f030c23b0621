#include "tools/simulator/browsers.hpp"

#include "engine/core/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>

#include <charconv>
#include <utility>

namespace tocsin::sim {
namespace {

constexpr std::string_view prefix = "/push/";
constexpr std::size_t digits = 16;
constexpr std::size_t digest_size = 32;
constexpr std::size_t repeats = 3;  // To the length that services' endpoints have.

const unsigned char* readable(std::string_view bytes) noexcept {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* writable(std::string& bytes) noexcept {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

std::string hmac(std::string_view key, std::string_view text) {
    std::string out(digest_size, '\0');
    unsigned size = 0;
    HMAC(
        EVP_sha256(), key.data(), static_cast<int>(key.size()), readable(text), text.size(), writable(out),
        &size);
    return out;
}

std::string hex_number(std::uint64_t number) {
    std::string out(digits, '0');
    for (std::size_t place = digits; place-- > 0; number >>= 4U) {
        out[place] = "0123456789abcdef"[number & 0xFU];
    }
    return out;
}

}  // namespace

result<std::shared_ptr<const browsers>> browsers::create(std::string secret) {
    std::shared_ptr<browsers> made(new browsers(std::move(secret)));
    const c_handle<EC_GROUP, EC_GROUP_free> curve(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    const c_handle<BN_CTX, BN_CTX_free> scratch(BN_CTX_new());
    const c_handle<EC_POINT, EC_POINT_free> place(curve == nullptr ? nullptr : EC_POINT_new(curve.get()));
    for (std::size_t i = 0; i < key_pairs; ++i) {
        const std::string seed = made->digest("key", i);
        pair next;
        next.scalar.reset(BN_bin2bn(readable(seed), static_cast<int>(seed.size()), nullptr));
        next.point.resize(65);
        if (place == nullptr || scratch == nullptr || next.scalar == nullptr ||
            BN_mod(next.scalar.get(), next.scalar.get(), EC_GROUP_get0_order(curve.get()), scratch.get()) !=
                1 ||
            EC_POINT_mul(curve.get(), place.get(), next.scalar.get(), nullptr, nullptr, scratch.get()) != 1 ||
            EC_POINT_point2oct(
                curve.get(), place.get(), POINT_CONVERSION_UNCOMPRESSED, writable(next.point),
                next.point.size(), scratch.get()) != next.point.size()) {
            return make_error_code(boost::system::errc::not_supported);
        }
        made->pairs_.push_back(std::move(next));
    }
    return std::shared_ptr<const browsers>(std::move(made));
}

std::string browsers::digest(std::string_view purpose, std::uint64_t number) const {
    return hmac(secret_, std::string(purpose) + ' ' + hex_number(number));
}

std::string browsers::auth(std::uint64_t number) const {
    return digest("auth", number).substr(0, 16);
}

std::string browsers::path(std::uint64_t number) const {
    std::string out(prefix);
    out += hex_number(number);
    const std::string proof = base64url(digest("path", number));
    for (std::size_t i = 0; i < repeats; ++i) {
        out += '-' + proof;
    }
    return out;
}

browser browsers::at(std::uint64_t number, std::string_view origin) const {
    return {std::string(origin) + path(number), point(number), auth(number)};
}

std::optional<std::uint64_t> browsers::whose(std::string_view given) const {
    if (!given.starts_with(prefix) || given.size() < prefix.size() + digits) {
        return std::nullopt;
    }
    std::uint64_t number = 0;
    const char* const from = given.data() + prefix.size();
    const auto [end, failed] = std::from_chars(from, from + digits, number, 16);
    if (failed != std::errc() || end != from + digits || given != path(number)) {
        return std::nullopt;
    }
    return number;
}

std::string subscription_json(const browser& of) {
    boost::json::object keys;
    keys["p256dh"] = base64url(of.point);
    keys["auth"] = base64url(of.auth);
    boost::json::object out;
    out["endpoint"] = of.endpoint;
    out["expirationTime"] = nullptr;
    out["keys"] = std::move(keys);
    return boost::json::serialize(out);
}

push_reader::push_reader(std::shared_ptr<const browsers> known)
    : known_(std::move(known)),
      curve_(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)),
      scratch_(BN_CTX_new()),
      theirs_(EC_POINT_new(curve_.get())),
      shared_(EC_POINT_new(curve_.get())),
      x_(BN_new()),
      cipher_(EVP_CIPHER_CTX_new()) {}

bool push_reader::agree(std::uint64_t number, std::string_view their_point, std::string& secret) {
    secret.assign(digest_size, '\0');
    return EC_POINT_oct2point(
               curve_.get(), theirs_.get(), readable(their_point), their_point.size(), scratch_.get()) == 1 &&
           EC_POINT_mul(
               curve_.get(), shared_.get(), nullptr, theirs_.get(), &known_->private_key(number),
               scratch_.get()) == 1 &&
           EC_POINT_get_affine_coordinates(curve_.get(), shared_.get(), x_.get(), nullptr, scratch_.get()) ==
               1 &&
           BN_bn2binpad(x_.get(), writable(secret), static_cast<int>(secret.size())) ==
               static_cast<int>(secret.size());
}

bool push_reader::open(std::string_view key, std::string_view nonce, std::string_view sealed) {
    constexpr std::size_t tag_size = 16;
    const std::string_view text = sealed.substr(0, sealed.size() - tag_size);
    std::string tag(sealed.substr(sealed.size() - tag_size));
    text_.resize(text.size());
    int size = 0;
    int rest = 0;
    return EVP_DecryptInit_ex(cipher_.get(), EVP_aes_128_gcm(), nullptr, readable(key), readable(nonce)) ==
               1 &&
           EVP_DecryptUpdate(
               cipher_.get(), writable(text_), &size, readable(text), static_cast<int>(text.size())) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher_.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()) == 1 &&
           EVP_DecryptFinal_ex(cipher_.get(), writable(text_) + size, &rest) == 1;
}

std::optional<std::string_view> push_reader::read(std::uint64_t number, std::string_view body) {
    constexpr std::size_t salt_size = 16;
    constexpr std::size_t point_size = 65;
    constexpr std::size_t header_size = salt_size + 4 + 1 + point_size;
    if (body.size() < header_size + 17 || static_cast<unsigned char>(body[20]) != point_size) {
        return std::nullopt;
    }
    std::uint32_t record = 0;
    for (std::size_t i = salt_size; i < salt_size + 4; ++i) {
        record = record << 8U | static_cast<unsigned char>(body[i]);
    }
    const std::string_view salt = body.substr(0, salt_size);
    const std::string_view their_point = body.substr(21, point_size);
    const std::string_view sealed = body.substr(header_size);
    std::string secret;
    if (record < sealed.size() || !agree(number, their_point, secret)) {
        return std::nullopt;
    }
    std::string info("WebPush: info\0", 14);
    info += known_->point(number);
    info += their_point;
    info += '\1';
    const std::string prk = hmac(salt, hmac(hmac(known_->auth(number), secret), info));
    const std::string key = hmac(prk, std::string_view("Content-Encoding: aes128gcm\0\1", 29));
    const std::string nonce = hmac(prk, std::string_view("Content-Encoding: nonce\0\1", 25));
    if (!open(key, nonce, sealed)) {
        return std::nullopt;
    }
    const std::size_t end = text_.find_last_not_of('\0');
    if (end == std::string::npos || text_[end] != '\2') {
        return std::nullopt;
    }
    return std::string_view(text_).substr(0, end);
}

}  // namespace tocsin::sim
