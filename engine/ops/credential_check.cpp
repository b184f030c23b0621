#include "engine/ops/credential_check.hpp"

#include "engine/core/c_handle.hpp"
#include "engine/core/private_file.hpp"
#include "engine/core/rfc3339.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace tocsin {
namespace {

using bio_handle = c_handle<BIO, BIO_free_all>;
using key_handle = c_handle<EVP_PKEY, EVP_PKEY_free>;
using certificate_handle = c_handle<X509, X509_free>;

constexpr std::size_t largest_public_file = std::size_t{4} << 20U;

/// Without it OpenSSL would ask for the passphrase on the terminal.
int no_passphrase(char*, int, int, void*) noexcept {
    return -1;
}

bio_handle memory(std::string_view bytes) {
    return bio_handle(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

key_handle private_key(std::string_view pem) {
    const bio_handle source = memory(pem);
    key_handle out(PEM_read_bio_PrivateKey(source.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    return out;
}

std::vector<certificate_handle> certificates(std::string_view pem) {
    std::vector<certificate_handle> out;
    const bio_handle source = memory(pem);
    for (;;) {
        certificate_handle next(PEM_read_bio_X509(source.get(), nullptr, no_passphrase, nullptr));
        if (next == nullptr) {
            ERR_clear_error();  // The end of the file looks like an error.
            return out;
        }
        out.push_back(std::move(next));
    }
}

parsed<std::string> read_public_file(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return refusal{"unreadable", path + " cannot be read: " + std::generic_category().message(errno)};
    }
    if (!S_ISREG(status.st_mode)) {
        return refusal{"not_a_file", path + " is not a regular file"};
    }
    if (static_cast<std::size_t>(status.st_size) > largest_public_file) {
        return refusal{"too_large", path + " is larger than 4 MiB: it holds no certificates"};
    }
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        return refusal{"unreadable", path + " cannot be read: " + std::generic_category().message(errno)};
    }
    return std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

wall_time time_of(const ASN1_TIME* given) {
    std::tm parts{};
    ASN1_TIME_to_tm(given, &parts);
    return std::chrono::time_point_cast<std::chrono::milliseconds>(wall_clock::from_time_t(::timegm(&parts)));
}

bool valid_at(const X509* certificate, wall_time now) {
    return time_of(X509_get0_notBefore(certificate)) <= now &&
           now <= time_of(X509_get0_notAfter(certificate));
}

bool issued_by_itself(X509* certificate) {
    return X509_check_issued(certificate, certificate) == X509_V_OK;
}

/// How far from the front the certificate stands that `key` belongs to; chain.size() if it is none's.
std::size_t place_of_key(const std::vector<certificate_handle>& chain, const EVP_PKEY* key) {
    std::size_t at = 0;
    while (at < chain.size() && X509_check_private_key(chain[at].get(), key) != 1) {
        ++at;
    }
    ERR_clear_error();
    return at;
}

/// True if some certificate stands before one that it has issued, or not next to its own issuer although that
/// is in the file. Peers read a chain from the front, and begin with the app's own.
bool is_out_of_order(const std::vector<certificate_handle>& chain) {
    const auto issued = [](const certificate_handle& issuer, const certificate_handle& subject) {
        return issuer != subject && X509_check_issued(issuer.get(), subject.get()) == X509_V_OK;
    };
    bool out = false;
    for (std::size_t i = 0; i < chain.size() && !out; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            out = out || (issued(chain[j], chain[i]) && !issued(chain[i], chain[j]));
        }
        const bool next = i + 1 < chain.size() && issued(chain[i + 1], chain[i]);
        const bool has_issuer =
            std::ranges::any_of(chain, [&](const certificate_handle& one) { return issued(one, chain[i]); });
        const bool is_root = issued_by_itself(chain[i].get());
        out = out || (!is_root && has_issuer && !next);
    }
    ERR_clear_error();
    return out;
}

refusal wrong_order(const std::string& path) {
    return {
        "order", "the certificates in " + path +
                     " are in the wrong order: the app's own comes first, then whoever issued it, and so on"};
}

}  // namespace

parsed<> check_certificate(const std::string& path, wall_time now) {
    const auto contents = read_public_file(path);
    if (contents.has_error()) {
        return contents.error();
    }
    const auto chain = certificates(*contents);
    if (chain.empty()) {
        return refusal{"malformed", path + " holds no PEM certificate"};
    }
    if (is_out_of_order(chain)) {
        return wrong_order(path);
    }
    const X509* const own = chain.front().get();
    if (!valid_at(own, now)) {
        return refusal{
            "expired", "the certificate in " + path + " is valid from " +
                           format_rfc3339(time_of(X509_get0_notBefore(own))) + " to " +
                           format_rfc3339(time_of(X509_get0_notAfter(own))) + " only; ask for a new one"};
    }
    return parsed<>();
}

parsed<> check_certificate_key(const std::string& path, const std::string& certificate_path) {
    const auto contents = read_private_file(path);
    if (contents.has_error()) {
        return contents.error();
    }
    const key_handle key = private_key(*contents);
    if (key == nullptr) {
        return refusal{"malformed", path + " is not a PEM private key without a passphrase"};
    }
    const auto certificate = read_public_file(certificate_path);
    if (certificate.has_error()) {
        return parsed<>();  // The certificate's own check tells.
    }
    const auto chain = certificates(*certificate);
    if (chain.empty() || is_out_of_order(chain)) {
        return parsed<>();  // Likewise.
    }
    const std::size_t place = place_of_key(chain, key.get());
    if (place != 0 && place < chain.size()) {
        return wrong_order(certificate_path);
    }
    if (place != 0) {
        return refusal{
            "mismatch", path + " is not the private key of the certificate in " + certificate_path};
    }
    return parsed<>();
}

parsed<> check_trust_root(const std::string& path, wall_time now) {
    const auto contents = read_public_file(path);
    if (contents.has_error()) {
        return contents.error();
    }
    const auto roots = certificates(*contents);
    if (roots.empty()) {
        return refusal{"malformed", path + " holds no PEM certificate"};
    }
    if (std::ranges::none_of(roots, [now](const auto& each) { return valid_at(each.get(), now); })) {
        return refusal{"expired", "no certificate in " + path + " is valid today"};
    }
    return parsed<>();
}

}  // namespace tocsin
