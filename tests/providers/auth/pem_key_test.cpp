#include "providers/auth/pem_key.hpp"

#include "tests/engine/ops/temporary_folder.hpp"
#include "tests/providers/auth/test_keys.hpp"

#include <openssl/err.h>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::auth {
namespace {

using ::testing::HasSubstr;
using testing::test_key;

TEST(PemKey, IsReadInItsLinesAndWithoutThem) {
    const std::string pem = test_key::p256().pem();
    std::string in_one_line;
    for (const char c : pem) {
        in_one_line += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
    EXPECT_NE(read_private_key(pem), nullptr);
    EXPECT_NE(read_private_key(in_one_line), nullptr);
}

TEST(PemKey, WhatIsNoneOrAsksForAPassPhraseLeavesNoErrorBehind) {
    for (const std::string& text :
         {std::string(), std::string("not a key"), test_key::p256().certificate("localhost"),
          test_key::p256().encrypted_pem("secret")}) {
        EXPECT_EQ(read_private_key(text), nullptr);
        EXPECT_EQ(ERR_peek_error(), 0U) << "it would be blamed on the next TLS operation";
    }
}

TEST(PemKey, TellsTheCurveByItsNameAndNotByItsWidth) {
    const auto on = [](const char* curve) { return read_private_key(test_key::ec(curve).pem()); };
    EXPECT_TRUE(is_p256(on("P-256").get()));
    EXPECT_FALSE(is_p256(on("secp256k1").get()));
    EXPECT_FALSE(is_p256(on("P-384").get()));
    EXPECT_FALSE(is_rsa(on("P-256").get()));
    const key_handle rsa = read_private_key(test_key::rsa(2048).pem());
    EXPECT_TRUE(is_rsa(rsa.get()));
    EXPECT_FALSE(is_p256(rsa.get()));
    EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(PemKey, OfRsaIsLongEnoughFrom2048BitsOn) {
    EXPECT_TRUE(is_long_enough(read_private_key(test_key::rsa(2048).pem()).get()));
    EXPECT_FALSE(is_long_enough(read_private_key(test_key::rsa(2040).pem()).get()));
}

TEST(PemKey, OfAFileIsCheckedWithASentenceForEachMistake) {
    const testing::temporary_folder folder;
    const auto said = [&folder](const std::string& contents, unsigned mode = 0600) {
        const auto outcome = check_p256_file(
            folder.write("key.pem", contents, mode), "`tocsin vapid new` makes one", "Web Push");
        return outcome.has_error() ? outcome.error().message : std::string();
    };
    EXPECT_EQ(said(test_key::p256().pem()), "");
    EXPECT_THAT(said("nothing"), HasSubstr("without a passphrase; `tocsin vapid new` makes one"));
    EXPECT_THAT(said(test_key::ec("P-384").pem()), HasSubstr("Web Push takes EC keys on P-256 only"));
    EXPECT_NE(said(test_key::p256().pem(), 0644), "") << "others can read it";
    EXPECT_TRUE(check_p256_file(folder.path() / "none.pem", "", "").has_error());
}

TEST(PemKey, ANewOneIsOnP256AndNoOtherIsTheSame) {
    const std::string first = make_p256_pem();
    const key_handle key = read_private_key(first);
    ASSERT_NE(key, nullptr);
    EXPECT_TRUE(is_p256(key.get()));
    EXPECT_NE(make_p256_pem(), first);
}

}  // namespace
}  // namespace tocsin::auth
