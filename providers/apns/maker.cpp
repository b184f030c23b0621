#include "providers/apns/maker.hpp"

#include "engine/core/private_file.hpp"
#include "providers/apns/provider.hpp"
#include "providers/apns/push_type.hpp"
#include "providers/apns/settings.hpp"

#include <map>
#include <utility>

namespace tocsin::apns {
namespace {

class maker final : public provider_maker {
public:
    explicit maker(provider_kit& kit) : kit_(kit) {}

    parsed<std::shared_ptr<provider>> make(
        const std::string& app, const platform_settings& settings) override;

private:
    parsed<std::shared_ptr<auth::provider_token>> provider_token(const apns_settings& given);

    /// By team and key.
    std::map<std::pair<std::string, std::string>, std::shared_ptr<auth::provider_token>> provider_tokens_;
    provider_kit& kit_;
};

parsed<std::shared_ptr<auth::provider_token>> maker::provider_token(const apns_settings& given) {
    auto& place = provider_tokens_[{given.team_id, given.key_id}];
    if (place == nullptr) {
        const auto pem = read_private_file(given.key_file);
        if (pem.has_error()) {
            return refusal{"key_file", pem.error().message};
        }
        auto signer = auth::es256_signer::from_pem(*pem);
        if (signer.has_error()) {
            return refusal{
                "key_file",
                given.key_file + " is not an APNs key: a P-256 private key in PEM (AuthKey_….p8)"};
        }
        place = std::make_shared<auth::provider_token>(
            std::move(*signer), given.team_id, given.key_id, kit_.runtime().time, kit_.random());
    }
    return place;
}

parsed<std::shared_ptr<provider>> maker::make(const std::string& app, const platform_settings& settings) {
    const auto& given = static_cast<const apns_settings&>(settings);
    auto production = base_url(given.url, "url");
    if (production.has_error()) {
        return production.error();
    }
    auto sandbox = base_url(given.sandbox_url, "sandbox_url");
    if (sandbox.has_error()) {
        return sandbox.error();
    }
    if (given.topic.empty()) {
        return refusal{"topic", "topic is missing: the app's bundle id"};
    }
    if (const std::string_view suffix = topic_suffix_of(given.topic); !suffix.empty()) {
        return refusal{
            "topic", "topic ends in " + std::string(suffix) +
                         ": name the app's bundle id alone; what a push type adds is added by itself"};
    }
    auto shared = std::make_shared<service>();
    std::optional<auth::certificate_validity> certificate;
    std::string credential;
    if (!given.certificate_file.empty()) {
        if (const auto fine = check_private_file(given.certificate_key_file); fine.has_error()) {
            return refusal{"certificate_key_file", fine.error().message};
        }
        const auto validity = auth::read_certificate_validity(given.certificate_file);
        if (validity.has_error()) {
            return validity.error();
        }
        certificate = *validity;
        credential = "certificate " + given.certificate_file;
    } else {
        for (const auto& [key, value] :
             {std::pair("team_id", &given.team_id), std::pair("key_id", &given.key_id),
              std::pair("key_file", &given.key_file)}) {
            if (value->empty()) {
                return refusal{key, std::string(key) + " is missing (or certificate_file instead)"};
            }
        }
        auto token = provider_token(given);
        if (token.has_error()) {
            return token.error();
        }
        shared->token = std::move(*token);
        credential = "key " + given.team_id + '/' + given.key_id;
    }
    const auto context = kit_.tls("h2", given.ca_file, given.certificate_file, given.certificate_key_file);
    if (context.has_error()) {
        return context.error();
    }
    shared->app = app;
    shared->production = {std::move(*production), credential, *context};
    shared->sandbox = {std::move(*sandbox), credential, *context};
    shared->connections = kit_.connections();
    return std::make_shared<apns_provider>(std::move(shared), given.topic, certificate, kit_.runtime().time);
}

}  // namespace

std::unique_ptr<provider_maker> make_maker(provider_kit& kit) {
    return std::make_unique<maker>(kit);
}

}  // namespace tocsin::apns
