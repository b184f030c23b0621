#include "tools/simulator/pki.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

namespace tocsin::sim {
namespace {

using bio_handle = c_handle<BIO, BIO_free_all>;
using number_handle = c_handle<BIGNUM, BN_free>;
using extension_handle = c_handle<X509_EXTENSION, X509_EXTENSION_free>;

constexpr long day = 24L * 60 * 60;

error_code crypto_failure() noexcept {
    return make_error_code(boost::system::errc::invalid_argument);
}

std::string contents(BIO& memory) {
    std::string out(BIO_ctrl_pending(&memory), '\0');
    BIO_read(&memory, out.data(), static_cast<int>(out.size()));
    return out;
}

bio_handle reading(std::string_view text) {
    return bio_handle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void name_entry(X509_NAME* name, const char* field, const std::string& value) {
    X509_NAME_add_entry_by_txt(
        name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
        static_cast<int>(value.size()), -1, 0);
}

bool add_extension(X509& to, X509& issuer, int nid, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, &issuer, &to, nullptr, nullptr, 0);
    const extension_handle extension(X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
    return extension != nullptr && X509_add_ext(&to, extension.get(), -1) == 1;
}

/// A certificate with everything but its names, extensions and signature.
certificate_handle blank(EVP_PKEY& key, long days) {
    certificate_handle made(X509_new());
    std::array<unsigned char, 16> serial{};
    if (made == nullptr || RAND_bytes(serial.data(), static_cast<int>(serial.size())) != 1) {
        return nullptr;
    }
    serial[0] = static_cast<unsigned char>((serial[0] & 0x3FU) | 0x40U);  // Positive and of full length.
    const number_handle number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
    X509_set_version(made.get(), X509_VERSION_3);
    BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(made.get()));
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -day);  // For clients whose clock is behind.
    X509_gmtime_adj(X509_getm_notAfter(made.get()), days * day);
    X509_set_pubkey(made.get(), &key);
    return made;
}

bool valid_for_a_month(X509& certificate) {
    std::time_t in_a_month = std::time(nullptr) + 30 * day;
    return X509_cmp_time(X509_get0_notAfter(&certificate), &in_a_month) > 0;
}

}  // namespace

key_handle make_ec_key() {
    return key_handle(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
}

key_handle make_rsa_key() {
    return key_handle(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
}

std::string to_pem(EVP_PKEY& key) {
    const bio_handle memory(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr, nullptr);
    return contents(*memory);
}

std::string to_pem(X509& certificate) {
    const bio_handle memory(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(memory.get(), &certificate);
    return contents(*memory);
}

key_handle key_from_pem(std::string_view pem) {
    return key_handle(PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, nullptr, nullptr));
}

certificate_handle certificate_from_pem(std::string_view pem) {
    return certificate_handle(PEM_read_bio_X509(reading(pem).get(), nullptr, nullptr, nullptr));
}

result<authority> authority::create() {
    key_handle key = make_ec_key();
    certificate_handle made = key == nullptr ? nullptr : blank(*key, 3650);
    if (made == nullptr) {
        return crypto_failure();
    }
    X509_NAME* name = X509_get_subject_name(made.get());
    name_entry(name, "O", "Tocsin");
    name_entry(name, "CN", "Tocsin simulator throw-away CA");
    X509_set_issuer_name(made.get(), name);
    if (!add_extension(*made, *made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !add_extension(*made, *made, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(*made, *made, NID_subject_key_identifier, "hash") ||
        X509_sign(made.get(), key.get(), EVP_sha256()) == 0) {
        return crypto_failure();
    }
    return authority(std::move(key), std::move(made));
}

result<authority> authority::from_pem(std::string_view certificate, std::string_view key) {
    certificate_handle read = certificate_from_pem(certificate);
    key_handle read_key = key_from_pem(key);
    if (read == nullptr || read_key == nullptr || X509_check_private_key(read.get(), read_key.get()) != 1 ||
        !valid_for_a_month(*read)) {
        return crypto_failure();
    }
    return authority(std::move(read_key), std::move(read));
}

certificate_handle authority::issue_server(EVP_PKEY& key, const std::string& names) const {
    certificate_handle made = blank(key, 365);
    if (made == nullptr) {
        return nullptr;
    }
    name_entry(X509_get_subject_name(made.get()), "CN", "localhost");
    X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
    if (!add_extension(*made, *certificate_, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(*made, *certificate_, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(*made, *certificate_, NID_ext_key_usage, "serverAuth") ||
        !add_extension(*made, *certificate_, NID_authority_key_identifier, "keyid") ||
        !add_extension(*made, *certificate_, NID_subject_alt_name, names) ||
        X509_sign(made.get(), key_.get(), EVP_sha256()) == 0) {
        return nullptr;
    }
    return made;
}

certificate_handle authority::issue_client(EVP_PKEY& key, const std::string& topic) const {
    certificate_handle made = blank(key, 365);
    if (made == nullptr) {
        return nullptr;
    }
    X509_NAME* name = X509_get_subject_name(made.get());
    name_entry(name, "UID", topic);
    name_entry(name, "CN", "Apple Push Services: " + topic);
    X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
    if (!add_extension(*made, *certificate_, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(*made, *certificate_, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(*made, *certificate_, NID_ext_key_usage, "clientAuth") ||
        !add_extension(*made, *certificate_, NID_authority_key_identifier, "keyid") ||
        X509_sign(made.get(), key_.get(), EVP_sha256()) == 0) {
        return nullptr;
    }
    return made;
}

bool authority::issued(X509& certificate) const {
    return X509_verify(&certificate, key_.get()) == 1 && valid_for_a_month(certificate);
}

std::string topic_of(X509& certificate) {
    X509_NAME* name = X509_get_subject_name(&certificate);
    const int at = X509_NAME_get_index_by_NID(name, NID_userId, -1);
    if (at < 0) {
        return {};
    }
    const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    return {
        reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
        static_cast<std::size_t>(ASN1_STRING_length(value))};
}

}  // namespace tocsin::sim
