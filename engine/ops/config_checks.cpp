#include "engine/ops/config_checks.hpp"

#include "engine/ops/credential_check.hpp"

namespace tocsin {

void config_checks::require(const std::string& value, const std::string& place, std::string_view message) {
    if (value.empty() && sound(place)) {
        problem(place, std::string(message));
    }
}

void config_checks::check_file(
    const std::string& path, const std::string& place, const file_check& check,
    std::string_view circumstances) {
    const bool of_an_app = place.starts_with("app.");
    if (path.empty() || !sound(place) || (of_an_app && draft_.keys == app_keys::unused)) {
        return;
    }
    // A thousand apps share some files, and reading a key takes OpenSSL a millisecond. What a file is
    // checked for follows from the key that names it and the circumstances, but for a certificate's key,
    // which has to fit it.
    const std::string kind = place.substr(place.rfind('.') + 1);
    const std::string question = (kind + ' ' + path).append(" ").append(circumstances);
    auto known = kind == "certificate_key_file" ? checked_.end() : checked_.find(question);
    if (known == checked_.end()) {
        known = checked_.insert_or_assign(question, check(path)).first;
    }
    if (known->second.has_error()) {
        problem(place, known->second.error().message);
    }
}

void config_checks::check_root(const std::string& path, const std::string& place) {
    check_file(path, place, [this](const std::string& file) { return check_trust_root(file, now_); });
}

void config_checks::check_certificate_pair(
    const std::string& certificate, const std::string& certificate_place, const std::string& key,
    const std::string& key_place) {
    require(certificate, certificate_place, "is missing: the certificate of that key");
    require(key, key_place, "is missing: the private key of the certificate");
    check_file(certificate, certificate_place, [this](const std::string& path) {
        return check_certificate(path, now_);
    });
    check_file(
        key, key_place, [&](const std::string& path) { return check_certificate_key(path, certificate); });
}

}  // namespace tocsin
