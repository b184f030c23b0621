#include "providers/auth/certificate.hpp"

#include "engine/core/c_handle.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <optional>

namespace tocsin::auth {
namespace {

std::optional<wall_time> wall_time_of(const ASN1_TIME* when) noexcept {
    std::tm parts{};
    if (ASN1_TIME_to_tm(when, &parts) != 1) {
        return std::nullopt;
    }
    // Not timegm(): a C library's idea of time zones has no part in it.
    const std::chrono::year_month_day date(
        std::chrono::year(parts.tm_year + 1900), std::chrono::month(static_cast<unsigned>(parts.tm_mon) + 1),
        std::chrono::day(static_cast<unsigned>(parts.tm_mday)));
    return wall_time(
        std::chrono::sys_days(date) + std::chrono::hours(parts.tm_hour) + std::chrono::minutes(parts.tm_min) +
        std::chrono::seconds(parts.tm_sec));
}

}  // namespace

parsed<certificate_validity> read_certificate_validity(const std::string& path) {
    const c_handle<BIO, BIO_free_all> source(BIO_new_file(path.c_str(), "r"));
    const c_handle<X509, X509_free> certificate(
        source != nullptr ? PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr) : nullptr);
    if (certificate == nullptr) {
        ERR_clear_error();
        return refusal{"certificate_file", path + " is not a certificate in PEM"};
    }
    const auto from = wall_time_of(X509_get0_notBefore(certificate.get()));
    const auto until = wall_time_of(X509_get0_notAfter(certificate.get()));
    if (!from || !until) {
        return refusal{"certificate_file", path + " holds a certificate with unreadable dates"};
    }
    return certificate_validity{*from, *until};
}

}  // namespace tocsin::auth
