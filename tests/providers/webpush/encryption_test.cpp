#include "providers/webpush/encryption.hpp"

#include "engine/core/text.hpp"
#include "engine/event/subscription.hpp"

#include <openssl/hmac.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::webpush {
namespace {

// RFC 8291, section 5 and appendix A.
constexpr std::string_view text = "When I grow up, I want to be a watermelon";
constexpr std::string_view their_point =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
constexpr std::string_view their_secret = "BTBZMqHH6r4Tts7J_aSIgg";
constexpr std::string_view our_scalar = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
constexpr std::string_view salt = "DGv6ra1nlYgDCS1FRnbzlw";
constexpr std::string_view expected =
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_"
    "c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3"
    "jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

template <std::size_t Size>
std::array<unsigned char, Size> bytes(std::string_view base64) {
    std::array<unsigned char, Size> out{};
    std::ranges::copy(from_base64url(base64).value(), out.begin());
    return out;
}

std::string hmac(std::string_view key, std::string_view data) {
    std::array<unsigned char, 32> out{};
    ::HMAC(
        ::EVP_sha256(), key.data(), static_cast<int>(key.size()),
        reinterpret_cast<const unsigned char*>(data.data()), data.size(), out.data(), nullptr);
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

/// The x coordinate of the browser's scalar times `point`.
std::string agreed(std::string_view point) {
    const std::string scalar = from_base64url("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94").value();
    const c_handle<EC_GROUP, EC_GROUP_free> curve(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    const c_handle<EC_POINT, EC_POINT_free> theirs(EC_POINT_new(curve.get()));
    const c_handle<EC_POINT, EC_POINT_free> shared(EC_POINT_new(curve.get()));
    const c_handle<BIGNUM, BN_clear_free> x(BN_new());
    const c_handle<BIGNUM, BN_clear_free> secret(BN_bin2bn(
        reinterpret_cast<const unsigned char*>(scalar.data()), static_cast<int>(scalar.size()), nullptr));
    EXPECT_EQ(
        EC_POINT_oct2point(
            curve.get(), theirs.get(), reinterpret_cast<const unsigned char*>(point.data()), point.size(),
            nullptr),
        1);
    EC_POINT_mul(curve.get(), shared.get(), nullptr, theirs.get(), secret.get(), nullptr);
    EC_POINT_get_affine_coordinates(curve.get(), shared.get(), x.get(), nullptr, nullptr);
    std::string out(32, '\0');
    BN_bn2binpad(x.get(), reinterpret_cast<unsigned char*>(out.data()), 32);
    return out;
}

/// What the browser of the RFC's appendix reads; the tag is not looked at.
std::string read(std::string_view sealed, std::string_view keys) {
    const std::string_view point = sealed.substr(salt_size + 5, point_size);
    const std::string info = std::string("WebPush: info") + '\0' + '\4' +
                             std::string(keys.substr(0, subscription_point_size)) + std::string(point) + '\1';
    const std::string prk = hmac(
        sealed.substr(0, salt_size), hmac(hmac(keys.substr(subscription_point_size), agreed(point)), info));
    const std::string key = hmac(prk, std::string("Content-Encoding: aes128gcm") + '\0' + '\1');
    const std::string nonce = hmac(prk, std::string("Content-Encoding: nonce") + '\0' + '\1');
    const std::string_view inside = sealed.substr(header_size, sealed.size() - header_size - tag_size);
    std::string out(inside.size(), '\0');
    int size = 0;
    const c_handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> cipher(EVP_CIPHER_CTX_new());
    EVP_DecryptInit_ex(
        cipher.get(), EVP_aes_128_gcm(), nullptr, reinterpret_cast<const unsigned char*>(key.data()),
        reinterpret_cast<const unsigned char*>(nonce.data()));
    EVP_DecryptUpdate(
        cipher.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
        reinterpret_cast<const unsigned char*>(inside.data()), static_cast<int>(inside.size()));
    return out;
}

std::string_view view(const std::array<unsigned char, largest_body>& body, std::size_t size) {
    return {reinterpret_cast<const char*>(body.data()), size};
}

/// Keys that were made ahead, and what was asked for.
struct drawer final : key_source {
    explicit drawer(std::size_t keys) : made(keys) {
        encryptor cipher = encryptor::create().value();
        for (ephemeral_key& each : made) {
            EXPECT_TRUE(cipher.make_key(each));
            points.emplace(reinterpret_cast<const char*>(each.point.data()), each.point.size());
        }
    }
    std::size_t take(std::span<ephemeral_key> out) noexcept override {
        ++questions;
        for (std::size_t i = 0; i < made.size(); ++i) {
            out[i].take_from(made[i]);
        }
        return std::exchange(made, {}).size();
    }

    std::vector<ephemeral_key> made;
    std::set<std::string> points;
    int questions = 0;
};

class EncryptionTest : public ::testing::Test {
protected:
    encryptor subject{encryptor::create().value()};
    std::string keys{read_subscription_keys(their_point, their_secret).value()};
    std::array<unsigned char, largest_body> body{};
};

TEST_F(EncryptionTest, AppendixAOfRfc8291ComesOutByteForByte) {
    const auto size =
        subject.encrypt_with(bytes<scalar_size>(our_scalar), bytes<salt_size>(salt), keys, text, body);
    ASSERT_TRUE(size);
    EXPECT_EQ(base64url(view(body, *size)), expected);
}

TEST_F(EncryptionTest, EachMessageHasASaltAndAKeyOfItsOwn) {
    ASSERT_TRUE(subject.encrypt(keys, text, body));
    const auto first = body;
    ASSERT_TRUE(subject.encrypt(keys, text, body));
    EXPECT_FALSE(std::equal(first.begin(), first.begin() + salt_size, body.begin()));
    EXPECT_FALSE(
        std::equal(first.begin() + salt_size + 5, first.begin() + header_size, body.begin() + salt_size + 5));
}

TEST_F(EncryptionTest, AKeyThatWasMadeAheadIsUsedOnceAndTheBrowserCanReadWithIt) {
    ASSERT_EQ(read(from_base64url(expected).value(), keys), std::string(text) + '\2');
    const auto ahead = std::make_shared<drawer>(2);
    subject = encryptor::create(ahead).value();
    std::set<std::string> points;
    for (const bool was_ahead : {true, true, false}) {
        const auto size = subject.encrypt(keys, text, body);
        ASSERT_TRUE(size);
        EXPECT_EQ(read(view(body, *size), keys), std::string(text) + '\2');
        const std::string point(view(body, *size).substr(salt_size + 5, point_size));
        EXPECT_EQ(ahead->points.contains(point), was_ahead);
        EXPECT_TRUE(points.insert(point).second);
    }
}

TEST_F(EncryptionTest, ASourceThatHasNoKeysIsAskedAgainAfterManyMessages) {
    const auto ahead = std::make_shared<drawer>(0);
    subject = encryptor::create(ahead).value();
    for (int i = 0; i < 65; ++i) {
        ASSERT_TRUE(subject.encrypt(keys, text, body));
    }
    EXPECT_EQ(ahead->questions, 1);
    ASSERT_TRUE(subject.encrypt(keys, text, body));
    EXPECT_EQ(ahead->questions, 2);
}

TEST_F(EncryptionTest, TheLargestTextFillsTheLargestBody) {
    EXPECT_EQ(subject.encrypt(keys, std::string(largest_plaintext, 'x'), body), largest_body);
    EXPECT_FALSE(subject.encrypt(keys, std::string(largest_plaintext + 1, 'x'), body));
    EXPECT_EQ(subject.encrypt(keys, "", body), header_size + 1 + tag_size);
}

TEST_F(EncryptionTest, DamagedKeysAreRefusedAndDoNotSpoilTheNextMessage) {
    std::string damaged = keys;
    damaged[3] = static_cast<char>(damaged[3] ^ 1);
    EXPECT_FALSE(subject.encrypt(damaged, text, body));
    EXPECT_FALSE(subject.encrypt(keys.substr(1), text, body));
    EXPECT_FALSE(subject.encrypt("", text, body));
    EXPECT_TRUE(subject.encrypt(keys, text, body));
}

}  // namespace
}  // namespace tocsin::webpush
