#include "providers/factory.hpp"

#include "engine/core/private_file.hpp"
#include "engine/core/text.hpp"
#include "engine/ops/service_account_file.hpp"
#include "providers/apns/provider.hpp"
#include "providers/apns/push_type.hpp"
#include "providers/fcm/provider.hpp"
#include "providers/webpush/provider.hpp"

#include <map>
#include <random>
#include <tuple>
#include <utility>

namespace tocsin {
namespace {

/// Makes the providers, and what they share, once.
class workshop {
public:
    explicit workshop(const provider_runtime& runtime)
        : runtime_(runtime),
          random_(runtime.random_seed),
          connections_(
              std::make_shared<connection_registry>(runtime.threads, runtime.time, runtime.log, random_())) {}

    parsed<std::shared_ptr<provider>> make(const std::string& app, const apns_settings& given);
    parsed<std::shared_ptr<provider>> make(const std::string& app, const fcm_settings& given);
    parsed<std::shared_ptr<provider>> make(const std::string& app, const webpush_settings& given);

private:
    using tls_key = std::tuple<std::string, std::string, std::string, std::string>;

    parsed<std::shared_ptr<net::tls_context>> tls(const net::tls_options& options);
    parsed<std::shared_ptr<auth::provider_token>> provider_token(const apns_settings& given);
    parsed<std::pair<std::shared_ptr<auth::oauth_token_source>, std::string>> token_source(
        const fcm_settings& given);
    parsed<std::shared_ptr<webpush::vapid_tokens>> vapid(const webpush_settings& given);

    const provider_runtime& runtime_;
    std::mt19937_64 random_;
    std::shared_ptr<connection_registry> connections_;
    std::map<tls_key, std::shared_ptr<net::tls_context>> tls_;
    std::map<std::pair<std::string, std::string>, std::shared_ptr<auth::provider_token>> provider_tokens_;
    std::map<
        std::tuple<std::string, std::string, std::string, std::string>,
        std::shared_ptr<auth::oauth_token_source>>
        token_sources_;
    /// By file and trust root: the source of an account and the project that it names.
    std::map<
        std::pair<std::string, std::string>,
        std::pair<std::shared_ptr<auth::oauth_token_source>, std::string>>
        accounts_;
    std::map<std::string, std::shared_ptr<fcm::host_relief>> fcm_hosts_;
    /// By key and subject.
    std::map<std::pair<std::string, std::string>, std::shared_ptr<webpush::vapid_tokens>> vapid_;
};

/// A base URL: an address without a path.
parsed<https_url> base_url(const std::string& text, std::string_view key) {
    auto url = parse_https_url(text, key);
    if (url.has_value() && url->target != "/") {
        return refusal{std::string(key), std::string(key) + ": \"" + text + "\" may have no path"};
    }
    if (url.has_error()) {
        return refusal{std::string(key), url.error().message};
    }
    return url;
}

parsed<std::shared_ptr<net::tls_context>> workshop::tls(const net::tls_options& options) {
    auto& place =
        tls_[{options.ca_file, options.certificate_file, options.certificate_key_file, options.alpn}];
    if (place == nullptr) {
        auto made = net::tls_context::create(options);
        if (made.has_error()) {
            return made.error();
        }
        place = std::move(*made);
    }
    return place;
}

parsed<std::shared_ptr<auth::provider_token>> workshop::provider_token(const apns_settings& given) {
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
            std::move(*signer), given.team_id, given.key_id, runtime_.time, random_());
    }
    return place;
}

parsed<std::shared_ptr<provider>> workshop::make(const std::string& app, const apns_settings& given) {
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
    if (const std::string_view suffix = apns::topic_suffix_of(given.topic); !suffix.empty()) {
        return refusal{
            "topic", "topic ends in " + std::string(suffix) +
                         ": name the app's bundle id alone; what a push type adds is added by itself"};
    }
    net::tls_options options;
    options.alpn = "h2";
    options.ca_file = given.ca_file;
    options.certificate_file = given.certificate_file;
    options.certificate_key_file = given.certificate_key_file;

    auto shared = std::make_shared<apns::service>();
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
    const auto context = tls(options);
    if (context.has_error()) {
        return context.error();
    }
    shared->app = app;
    shared->production = {std::move(*production), credential, *context};
    shared->sandbox = {std::move(*sandbox), credential, *context};
    shared->connections = connections_;
    return std::make_shared<apns::apns_provider>(std::move(shared), given.topic, certificate, runtime_.time);
}

refusal without_project(const fcm_settings& given) {
    return {"service_account_file", given.service_account_file + " " + std::string(no_project)};
}

parsed<std::pair<std::shared_ptr<auth::oauth_token_source>, std::string>> workshop::token_source(
    const fcm_settings& given) {
    // A thousand apps may share an account, and reading its key takes OpenSSL a millisecond.
    const std::pair file(given.service_account_file, given.ca_file);
    if (const auto known = accounts_.find(file); known != accounts_.end()) {
        const auto& [source, own_project] = known->second;
        if (own_project.empty() && given.project_id.empty()) {
            return without_project(given);
        }
        return std::pair(source, given.project_id.empty() ? own_project : given.project_id);
    }
    const auto json = read_private_file(given.service_account_file);
    if (json.has_error()) {
        return refusal{"service_account_file", json.error().message};
    }
    auto account = auth::parse_service_account(*json);
    if (account.has_error()) {
        return refusal{"service_account_file", given.service_account_file + " " + account.error().message};
    }
    const std::string own = account->project_id;
    if (own.empty() && given.project_id.empty()) {
        return without_project(given);
    }
    std::string project = given.project_id.empty() ? own : given.project_id;
    auto& place =
        token_sources_[{account->client_email, account->private_key_id, account->token_uri, given.ca_file}];
    if (place == nullptr) {
        net::tls_options options;
        options.alpn = "http/1.1";
        options.ca_file = given.ca_file;
        const auto context = tls(options);
        if (context.has_error()) {
            return context.error();
        }
        place = std::make_shared<auth::oauth_token_source>(
            runtime_.executor, std::move(*account), *context, runtime_.time, runtime_.log, random_());
    }
    accounts_.emplace(file, std::pair(place, own));
    return std::pair(place, std::move(project));
}

parsed<std::shared_ptr<provider>> workshop::make(const std::string& app, const fcm_settings& given) {
    auto where = base_url(given.url, "url");
    if (where.has_error()) {
        return where.error();
    }
    if (given.service_account_file.empty()) {
        return refusal{"service_account_file", "service_account_file is missing"};
    }
    auto source = token_source(given);
    if (source.has_error()) {
        return source.error();
    }
    auto& [tokens, project] = *source;
    // It becomes part of a path. Old projects have a domain and a colon in front of their name.
    if (!is_word(project, "-.:")) {
        return refusal{"project_id", "project_id: \"" + project + "\" is not the id of a project"};
    }
    net::tls_options options;
    options.alpn = "h2";
    options.ca_file = given.ca_file;
    const auto context = tls(options);
    if (context.has_error()) {
        return context.error();
    }
    auto shared = std::make_shared<fcm::service>();
    shared->app = app;
    auto& host = fcm_hosts_[where->authority];
    if (host == nullptr) {
        host = std::make_shared<fcm::host_relief>(random_());
    }
    shared->host = host;
    shared->where = {std::move(*where), "fcm", *context};
    shared->path = "/v1/projects/" + project + "/messages:send";
    shared->tokens = tokens;
    shared->connections = connections_;
    return std::make_shared<fcm::fcm_provider>(std::move(shared), runtime_.time);
}

parsed<std::shared_ptr<webpush::vapid_tokens>> workshop::vapid(const webpush_settings& given) {
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
        place =
            std::make_shared<webpush::vapid_tokens>(std::move(*signer), std::move(public_key), given.subject);
    }
    return place;
}

parsed<std::shared_ptr<provider>> workshop::make(const std::string& app, const webpush_settings& given) {
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
    if (const auto cipher = webpush::encryptor::create(); cipher.has_error()) {
        return refusal{"openssl", "OpenSSL offers no P-256, SHA-256 or AES-128-GCM"};
    }
    net::tls_options options;
    options.alpn = "h2";
    options.ca_file = given.ca_file;
    const auto context = tls(options);
    if (context.has_error()) {
        return context.error();
    }
    auto shared = std::make_shared<webpush::service>();
    shared->app = app;
    shared->services = given.services;
    shared->tls = *context;
    shared->tokens = std::move(*tokens);
    shared->connections = connections_;
    return std::make_shared<webpush::webpush_provider>(std::move(shared), given.url);
}

}  // namespace

parsed<std::vector<std::shared_ptr<provider>>> make_providers(
    const settings& configuration, const provider_runtime& runtime) {
    workshop shop(runtime);
    std::vector<std::shared_ptr<provider>> out;
    const auto add = [&](const std::string& app, const auto& given, std::string_view section) -> parsed<> {
        auto made = shop.make(app, given);
        if (made.has_error()) {
            return refusal{
                "app." + std::string(section) + '.' + made.error().code,
                "app \"" + app + "\", " + std::string(section) + ": " + made.error().message};
        }
        out.push_back(std::move(*made));
        return {};
    };
    for (const app_settings& app : configuration.apps) {
        if (app.apns) {
            if (const auto done = add(app.id, *app.apns, "apns"); done.has_error()) {
                return done.error();
            }
        }
        if (app.fcm) {
            if (const auto done = add(app.id, *app.fcm, "fcm"); done.has_error()) {
                return done.error();
            }
        }
        if (app.webpush) {
            if (const auto done = add(app.id, *app.webpush, "webpush"); done.has_error()) {
                return done.error();
            }
        }
    }
    return out;
}

}  // namespace tocsin
