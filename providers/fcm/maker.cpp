#include "providers/fcm/maker.hpp"

#include "engine/core/private_file.hpp"
#include "engine/core/text.hpp"
#include "providers/auth/service_account_file.hpp"
#include "providers/fcm/provider.hpp"
#include "providers/fcm/settings.hpp"

#include <map>
#include <tuple>
#include <utility>

namespace tocsin::fcm {
namespace {

class maker final : public provider_maker {
public:
    explicit maker(provider_kit& kit) : kit_(kit) {}

    parsed<std::shared_ptr<provider>> make(
        const std::string& app, const platform_settings& settings) override;

private:
    parsed<std::pair<std::shared_ptr<auth::oauth_token_source>, std::string>> token_source(
        const fcm_settings& given);

    std::map<
        std::tuple<std::string, std::string, std::string, std::string>,
        std::shared_ptr<auth::oauth_token_source>>
        token_sources_;
    /// By file and trust root: the source of an account and the project that it names.
    std::map<
        std::pair<std::string, std::string>,
        std::pair<std::shared_ptr<auth::oauth_token_source>, std::string>>
        accounts_;
    std::map<std::string, std::shared_ptr<host_relief>> hosts_;
    provider_kit& kit_;
};

refusal without_project(const fcm_settings& given) {
    return {"service_account_file", given.service_account_file + " " + std::string(no_project)};
}

parsed<std::pair<std::shared_ptr<auth::oauth_token_source>, std::string>> maker::token_source(
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
        const auto context = kit_.tls("http/1.1", given.ca_file);
        if (context.has_error()) {
            return context.error();
        }
        place = std::make_shared<auth::oauth_token_source>(
            kit_.runtime().executor, std::move(*account), *context, kit_.runtime().time, kit_.runtime().log,
            kit_.random());
    }
    accounts_.emplace(file, std::pair(place, own));
    return std::pair(place, std::move(project));
}

parsed<std::shared_ptr<provider>> maker::make(const std::string& app, const platform_settings& settings) {
    const auto& given = static_cast<const fcm_settings&>(settings);
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
    const auto context = kit_.tls("h2", given.ca_file);
    if (context.has_error()) {
        return context.error();
    }
    auto shared = std::make_shared<service>();
    shared->app = app;
    auto& host = hosts_[where->authority];
    if (host == nullptr) {
        host = std::make_shared<host_relief>(kit_.random());
    }
    shared->host = host;
    shared->where = {std::move(*where), "fcm", *context};
    shared->path = "/v1/projects/" + project + "/messages:send";
    shared->tokens = tokens;
    shared->connections = kit_.connections();
    return std::make_shared<fcm_provider>(std::move(shared), kit_.runtime().time);
}

}  // namespace

std::unique_ptr<provider_maker> make_maker(provider_kit& kit) {
    return std::make_unique<maker>(kit);
}

}  // namespace tocsin::fcm
