#include "providers/auth/pem_key.hpp"

#include "engine/core/pem_text.hpp"
#include "engine/core/private_file.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <string>

namespace tocsin::auth {

key_handle read_private_key(std::string_view text) {
    const std::string pem = with_pem_lines(text);
    const c_handle<BIO, BIO_free_all> source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (source == nullptr) {
        return nullptr;
    }
    // Without a callback OpenSSL would ask for a pass phrase on the terminal, and wait.
    const auto no_pass_phrase = [](char*, int, int, void*) noexcept { return 0; };
    key_handle key(PEM_read_bio_PrivateKey(source.get(), nullptr, no_pass_phrase, nullptr));
    if (key == nullptr) {
        ERR_clear_error();  // Left behind, it would be blamed on the next TLS operation of this thread.
    }
    return key;
}

bool is_p256(const EVP_PKEY* key) noexcept {
    std::array<char, 64> group{};
    std::size_t size = 0;
    // By name: secp256k1 and others are 256 bits wide, too.
    const bool known =
        EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1;
    ERR_clear_error();
    return known && std::string_view(group.data(), size) == "prime256v1";
}

bool is_rsa(const EVP_PKEY* key) noexcept {
    return EVP_PKEY_is_a(key, "RSA") == 1;
}

bool is_long_enough(const EVP_PKEY* rsa) noexcept {
    constexpr int least_bits = 2048;
    return EVP_PKEY_get_bits(rsa) >= least_bits;
}

parsed<> check_p256_file(const std::string& path, std::string_view hint, std::string_view service) {
    const auto contents = read_private_file(path);
    if (contents.has_error()) {
        return contents.error();
    }
    const key_handle key = read_private_key(*contents);
    if (key == nullptr) {
        return refusal{
            "malformed", path + " is not a PEM private key without a passphrase; " + std::string(hint)};
    }
    if (!is_p256(key.get())) {
        return refusal{
            "malformed",
            path + " holds a key of another kind; " + std::string(service) + " takes EC keys on P-256 only"};
    }
    return parsed<>();
}

std::string make_p256_pem() {
    const key_handle key(EVP_EC_gen("P-256"));
    const c_handle<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
    if (key == nullptr || out == nullptr ||
        PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        ERR_clear_error();
        return {};
    }
    const char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

digest_handle fetch_sha256() noexcept {
    return digest_handle(EVP_MD_fetch(nullptr, "SHA256", nullptr));
}

}  // namespace tocsin::auth
