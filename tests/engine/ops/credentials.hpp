#pragma once

#include "engine/core/c_handle.hpp"
#include "engine/core/clock.hpp"

#include <boost/json/object.hpp>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

namespace tocsin::testing {

using test_key = c_handle<EVP_PKEY, EVP_PKEY_free>;

inline test_key make_ec_key(const char* curve = "P-256") {
    return test_key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve));
}
inline test_key make_rsa_key(std::size_t bits) {
    return test_key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits));
}

inline std::string contents_of(BIO* bio) {
    std::string out;
    std::array<char, 4096> chunk;
    for (int count = 0; (count = BIO_read(bio, chunk.data(), static_cast<int>(chunk.size()))) > 0;) {
        out.append(chunk.data(), static_cast<std::size_t>(count));
    }
    return out;
}

inline std::string pem_of(EVP_PKEY* key) {
    const c_handle<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return contents_of(out.get());
}

/// A self-signed certificate that is valid between the two times.
inline std::string make_certificate(EVP_PKEY* key, wall_time from, wall_time to) {
    const c_handle<X509, X509_free> made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    ASN1_TIME_set(X509_getm_notBefore(made.get()), wall_clock::to_time_t(from));
    ASN1_TIME_set(X509_getm_notAfter(made.get()), wall_clock::to_time_t(to));
    X509_set_pubkey(made.get(), key);
    X509_sign(made.get(), key, EVP_sha256());
    const c_handle<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(out.get(), made.get());
    return contents_of(out.get());
}

/// A certificate for `key`, called `subject`, which `issuer` has signed; all may sign others.
inline std::string make_issued(
    EVP_PKEY* key, const std::string& subject, EVP_PKEY* issuer_key, const std::string& issuer) {
    const c_handle<X509, X509_free> made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    const auto name = [](X509_NAME* place, const std::string& text) {
        X509_NAME_add_entry_by_txt(
            place, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
    };
    name(X509_get_subject_name(made.get()), subject);
    name(X509_get_issuer_name(made.get()), issuer);
    X509_set_pubkey(made.get(), key);
    X509_sign(made.get(), issuer_key, EVP_sha256());
    const c_handle<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(out.get(), made.get());
    return contents_of(out.get());
}

inline boost::json::object make_service_account(const std::string& private_key) {
    return {
        {"type", "service_account"},
        {"project_id", "village-news"},
        {"private_key_id", "abc123"},
        {"private_key", private_key},
        {"client_email", "sender@village-news.iam.gserviceaccount.com"},
        {"token_uri", "https://oauth2.googleapis.com/token"}};
}

}  // namespace tocsin::testing
