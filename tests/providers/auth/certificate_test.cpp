#include "providers/auth/certificate.hpp"

#include "engine/core/rfc3339.hpp"
#include "tests/engine/ops/temporary_folder.hpp"
#include "tests/providers/auth/test_keys.hpp"

#include <openssl/err.h>

#include <string>

#include <gtest/gtest.h>

namespace tocsin::auth {
namespace {

/// Of a certificate that counts from and until these times, as ASN.1 writes them.
std::string dated(const char* from, const char* until) {
    const c_handle<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
    const c_handle<X509, X509_free> made(X509_new());
    ASN1_TIME_set_string(X509_getm_notBefore(made.get()), from);
    ASN1_TIME_set_string(X509_getm_notAfter(made.get()), until);
    X509_set_pubkey(made.get(), key.get());
    X509_sign(made.get(), key.get(), EVP_sha256());
    const c_handle<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(out.get(), made.get());
    char* text = nullptr;
    const long size = BIO_ctrl(out.get(), BIO_CTRL_INFO, 0, &text);
    return {text, static_cast<std::size_t>(size)};
}

class CertificateValidityTest : public ::testing::Test {
protected:
    ~CertificateValidityTest() override { EXPECT_EQ(ERR_peek_error(), 0U); }
    parsed<certificate_validity> read(const std::string& contents) const {
        return read_certificate_validity(folder.write("certificate.pem", contents, 0644));
    }
    testing::temporary_folder folder;
};

TEST_F(CertificateValidityTest, IsReadToTheSecond) {
    const auto found = read(dated("240229235959Z", "20511231000001Z"));
    ASSERT_TRUE(found.has_value()) << found.error().message;
    EXPECT_EQ(found->from, parse_rfc3339("2024-02-29T23:59:59Z"));
    EXPECT_EQ(found->until, parse_rfc3339("2051-12-31T00:00:01Z"));
}

TEST_F(CertificateValidityTest, IsThatOfTheFirstOfAChain) {
    const auto found =
        read(dated("250101000000Z", "260101000000Z") + dated("200101000000Z", "400101000000Z"));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->until, parse_rfc3339("2026-01-01T00:00:00Z"));
}

TEST_F(CertificateValidityTest, OfWhatIsNoCertificateIsRefusedWithItsFile) {
    for (const std::string& contents :
         {std::string(), std::string("nothing"), testing::test_key::p256().pem()}) {
        const auto found = read(contents);
        ASSERT_TRUE(found.has_error());
        EXPECT_EQ(found.error().code, "certificate_file");
        EXPECT_NE(found.error().message.find("certificate.pem is not a certificate"), std::string::npos);
    }
    EXPECT_TRUE(read_certificate_validity(folder.path() / "none.pem").has_error());
}

}  // namespace
}  // namespace tocsin::auth
