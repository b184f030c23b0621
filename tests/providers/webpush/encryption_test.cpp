#include "providers/webpush/encryption.hpp"

#include "engine/core/text.hpp"
#include "engine/event/subscription.hpp"

#include <algorithm>
#include <array>
#include <string>

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

std::string_view view(const std::array<unsigned char, largest_body>& body, std::size_t size) {
    return {reinterpret_cast<const char*>(body.data()), size};
}

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
