#include "providers/webpush/maker.hpp"

#include "engine/core/private_file.hpp"
#include "engine/core/text.hpp"
#include "providers/webpush/encryption.hpp"
#include "providers/webpush/key_reserve.hpp"
#include "providers/webpush/provider.hpp"

#include <map>
#include <utility>

namespace tocsin::webpush {
namespace {

// A tenth of a megabyte, made in some ten milliseconds.
constexpr std::size_t keys_for_a_thread = 1'024;

class maker final : public provider_maker {
public:
    explicit maker(provider_kit& kit) : kit_(kit) {}

    parsed<std::shared_ptr<provider>> make(
        const std::string& app, const platform_settings& settings) override;

private:
    parsed<std::shared_ptr<vapid_tokens>> vapid(const webpush_settings& given);
    parsed<std::shared_ptr<key_reserve>> keys();

    /// By key and subject.
    std::map<std::pair<std::string, std::string>, std::shared_ptr<vapid_tokens>> vapid_;
    std::shared_ptr<key_reserve> keys_;  ///< Of all apps; null before the first.
    provider_kit& kit_;
};

parsed<std::shared_ptr<vapid_tokens>> maker::vapid(const webpush_settings& given) {
    const auto pem = read_private_file(given.vapid_key_file);
    if (pem.has_error()) {
        return refusal{"vapid_key_file", pem.error().message};
    }
    auto signer = auth::es256_signer::from_pem(*pem);
    if (signer.has_error()) {
        return refusal{
            "vapid_key_file", given.vapid_key_file + " is not a P-256 private key in PEM (tocsin vapid new)"};
    }
    const auto point = signer->public_point();
    if (point.has_error()) {
        return refusal{"vapid_key_file", given.vapid_key_file + " has no public half"};
    }
    std::string public_key = base64url(*point);
    auto& place = vapid_[{public_key, given.subject}];
    if (place == nullptr) {
        place = std::make_shared<vapid_tokens>(std::move(*signer), std::move(public_key), given.subject);
    }
    return place;
}

parsed<std::shared_ptr<key_reserve>> maker::keys() {
    if (keys_ == nullptr) {
        auto cipher = encryptor::create();
        if (cipher.has_error()) {
            return refusal{"openssl", "OpenSSL offers no P-256, SHA-256 or AES-128-GCM"};
        }
        const provider_runtime& runtime = kit_.runtime();
        keys_ = std::make_shared<key_reserve>(
            runtime.executor, runtime.time, std::move(*cipher), keys_for_a_thread * runtime.threads);
        keys_->replenish();
    }
    return keys_;
}

parsed<std::shared_ptr<provider>> maker::make(const std::string& app, const platform_settings& settings) {
    const auto& given = static_cast<const webpush_settings&>(settings);
    for (const auto& [key, value] :
         {std::pair("vapid_key_file", &given.vapid_key_file), std::pair("subject", &given.subject),
          std::pair("url", &given.url)}) {
        if (value->empty()) {
            return refusal{key, std::string(key) + " is missing"};
        }
    }
    auto tokens = vapid(given);
    if (tokens.has_error()) {
        return tokens.error();
    }
    if (const auto ahead = keys(); ahead.has_error()) {
        return ahead.error();
    }
    const auto context = kit_.tls("h2", given.ca_file);
    if (context.has_error()) {
        return context.error();
    }
    auto shared = std::make_shared<service>();
    shared->app = app;
    shared->services = given.services;
    shared->tls = *context;
    shared->tokens = std::move(*tokens);
    shared->connections = kit_.connections();
    shared->keys = keys_;
    return std::make_shared<webpush_provider>(std::move(shared), given.url);
}

}  // namespace

std::unique_ptr<provider_maker> make_maker(provider_kit& kit) {
    return std::make_unique<maker>(kit);
}

}  // namespace tocsin::webpush
