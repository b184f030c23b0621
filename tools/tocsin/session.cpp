#include "tools/tocsin/session.hpp"

#include "engine/audience/unknown_commune.hpp"
#include "engine/civil/quiet_hours.hpp"
#include "engine/ops/config.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/error.hpp"
#include "providers/platforms.hpp"

namespace tocsin::cli {
namespace {

/// Nothing after a word on standard error.
std::optional<territories> find_territories(const settings& how) {
    auto places = territories::load(how.territories.file);
    if (places.has_error()) {
        complain(problem_of(how, "territories.file", places.error().message).describe());
        return std::nullopt;
    }
    return communes_exist(how, *places, complain) ? std::optional(std::move(*places)) : std::nullopt;
}

parsed<redis::address> redis_address(const settings& how) {
    auto where = redis::parse_address(how.redis.url);
    if (where.has_error()) {
        return refusal{"redis", problem_of(how, "redis.url", where.error().message).describe()};
    }
    where->ca_file = how.redis.ca_file;
    where->certificate_file = how.redis.certificate_file;
    where->certificate_key_file = how.redis.certificate_key_file;
    return where;
}

}  // namespace

std::optional<settings> read_settings(const common_options& common, const problem_sink& tell, app_keys keys) {
    config_sources sources = process_config_sources();
    sources.file = common.config;
    sources.flags = common.settings;
    sources.keys = keys;
    config_outcome outcome = load_config(sources, all_platform_configurations());
    for (const config_problem& problem : outcome.problems) {
        tell(problem.describe());
    }
    if (!outcome.problems.empty()) {
        return std::nullopt;
    }
    if (const auto hours = quiet_hours::make(outcome.value.quiet_hours); hours.has_error()) {
        tell(problem_of(outcome.value, "quiet_hours.from", hours.error().message).describe());
        return std::nullopt;
    }
    return std::move(outcome.value);
}

settings load_settings(const common_options& common, app_keys keys) {
    auto how = read_settings(common, complain, keys);
    if (!how) {
        throw command_end(exit_configuration);
    }
    return std::move(*how);
}

territories load_territories(const settings& how) {
    auto places = find_territories(how);
    if (!places) {
        throw command_end(exit_configuration);
    }
    return std::move(*places);
}

engine_grounds load_grounds(const settings& how) {
    auto places = find_territories(how);
    auto where = value_or_end(redis_address(how), exit_configuration);
    if (!places || !serves_an_app(how, complain)) {
        throw command_end(exit_configuration);
    }
    return {std::move(*places), std::move(where)};
}

std::vector<std::shared_ptr<provider>> open_providers(const settings& how, const provider_runtime& runtime) {
    auto providers = make_providers(how, runtime);
    if (providers.has_error()) {
        throw command_end(exit_configuration, providers.error().code + ": " + providers.error().message);
    }
    return std::move(*providers);
}

bool serves_an_app(const settings& how, const problem_sink& tell) {
    if (how.apps.empty()) {
        tell(problem_of(how, "app", "there is no [[app]]: no event could be sent").describe());
    }
    return !how.apps.empty();
}

bool communes_exist(const settings& how, const territories& places, const problem_sink& tell) {
    bool all = true;
    for (std::size_t i = 0; i < how.apps.size(); ++i) {
        for (const std::string& code : how.apps[i].communes) {
            const auto id = parse_commune_id(code);
            if (code != "*" && (!id || places.find(*id) == nullptr)) {
                all = false;
                const config_problem problem = problem_of(
                    how, "app." + std::to_string(i) + ".communes",
                    "app \"" + how.apps[i].id + "\" names commune \"" + code + "\", which does not exist" +
                        unknown_commune_hint(code, places));
                tell(problem.describe());
            }
        }
    }
    return all;
}

void dial_log::write(log_level, std::string_view event, std::span<const log_field> fields) noexcept {
    if (event == "redis.connected") {
        last_.clear();
    }
    for (const log_field& field : fields) {
        if (event == "redis.connect_failed" && field.key == "reason") {
            last_ = field.value;
        }
    }
}

redis_session::redis_session(const settings& how)
    : redis_session(value_or_end(redis_address(how), exit_configuration), how.redis.prefix) {}

redis_session::redis_session(redis::address where, std::string prefix)
    : loop_(1),
      where_(where.describe()),
      client_(
          loop_.get_executor(), std::move(where), time_, log_,
          redis::client_options{
              .connect_timeout = std::chrono::seconds(3), .reply_timeout = std::chrono::seconds(5)}),
      keys_(std::move(prefix)) {}

std::string redis_session::sentence_about(error_code why) const {
    if (!why) {
        return "the command failed";
    }
    // What the connection said when it could not be opened, if that is what it failed for.
    if (why == redis::redis_errc::refused && !log_.last().empty()) {
        return log_.last();
    }
    const bool opening = why == redis::redis_errc::unreachable && !log_.last().empty();
    return why.message() + (opening ? " (" + log_.last() + ")" : std::string());
}

std::string redis_session::complaint_about(error_code why) const {
    return "Redis at " + where_ + ": " + sentence_about(why);
}

boost::asio::awaitable<result<std::string>> add_event(redis_session& redis, std::string document) {
    redis::request ask("XADD", redis.keys().events(), "*", "event", document);
    const auto added = co_await redis::execute_checked(redis.redis(), std::move(ask));
    if (added.has_error()) {
        co_return added.error();
    }
    co_return std::string(added->front().text());
}

}  // namespace tocsin::cli
