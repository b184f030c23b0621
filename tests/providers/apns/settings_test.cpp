#include "providers/apns/settings.hpp"

#include "tests/engine/ops/credentials.hpp"
#include "tests/engine/ops/temporary_folder.hpp"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using ::testing::HasSubstr;

std::string complaint(const parsed<>& outcome) {
    return outcome.has_error() ? outcome.error().message : "";
}

class ApnsKeyTest : public ::testing::Test {
protected:
    static const std::string& rsa_pem() {
        static const std::string pem = testing::pem_of(testing::make_rsa_key(2048).get());
        return pem;
    }

    std::string apns_key(std::string_view contents) {
        return complaint(check_apns_key(folder.write("key.p8", contents)));
    }

    testing::temporary_folder folder;
};

TEST_F(ApnsKeyTest, OnP256IsTaken) {
    EXPECT_EQ(apns_key(testing::pem_of(testing::make_ec_key().get())), "");
}

TEST_F(ApnsKeyTest, OfAnotherKindIsRefused) {
    EXPECT_THAT(
        apns_key(testing::pem_of(testing::make_ec_key("P-384").get())), HasSubstr("EC keys on P-256 only"));
    EXPECT_THAT(apns_key(rsa_pem()), HasSubstr("EC keys on P-256 only"));
}

TEST_F(ApnsKeyTest, ThatIsNoPemIsRefused) {
    EXPECT_THAT(apns_key(""), HasSubstr("is not a PEM private key"));
    EXPECT_THAT(
        apns_key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        HasSubstr("is not a PEM"));
}

TEST_F(ApnsKeyTest, EncryptedKeyIsRefusedWithoutAskingForItsPassphrase) {
    const auto key = testing::make_ec_key();
    const c_handle<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
    ASSERT_EQ(
        PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_128_cbc(), "secret", 6, nullptr, nullptr),
        1);
    EXPECT_THAT(apns_key(testing::contents_of(out.get())), HasSubstr("without a passphrase"));
}

TEST_F(ApnsKeyTest, FolderIsNoFile) {
    EXPECT_THAT(complaint(check_apns_key(folder.path().string())), HasSubstr("is not a regular file"));
}

}  // namespace
}  // namespace tocsin
