#include "tools/tocsin/session.hpp"

#include "engine/audience/unknown_commune.hpp"
#include "engine/civil/quiet_hours.hpp"
#include "engine/ops/config.hpp"
#include "engine/redis/error.hpp"
#include "providers/platforms.hpp"

namespace tocsin::cli {

std::optional<settings> load_settings(const common_options& common, const problem_sink& tell) {
    config_sources sources = process_config_sources();
    sources.file = common.config;
    sources.flags = common.settings;
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

std::optional<territories> load_territories(const settings& how) {
    auto places = territories::load(how.territories.file);
    if (places.has_error()) {
        complain(problem_of(how, "territories.file", places.error().message).describe());
        return std::nullopt;
    }
    if (!communes_exist(how, *places)) {
        return std::nullopt;
    }
    return std::move(*places);
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

std::optional<redis::address> redis_address(const settings& how) {
    auto where = redis::parse_address(how.redis.url);
    if (where.has_error()) {
        complain(problem_of(how, "redis.url", where.error().message).describe());
        return std::nullopt;
    }
    where->ca_file = how.redis.ca_file;
    where->certificate_file = how.redis.certificate_file;
    where->certificate_key_file = how.redis.certificate_key_file;
    return std::move(*where);
}

std::unique_ptr<redis_session> redis_session::open(const settings& how) {
    auto where = redis_address(how);
    if (!where) {
        return nullptr;
    }
    return std::unique_ptr<redis_session>(new redis_session(std::move(*where), how.redis.prefix));
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

bool redis_session::run(boost::asio::awaitable<result<>> work) {
    std::optional<result<>> out;
    start(std::move(work), out);
    if (!out || out->has_error()) {
        tell(out ? out->error() : error_code());
        return false;
    }
    return true;
}

void redis_session::tell(error_code why) const {
    complain("Redis at " + where_ + ": " + sentence_about(why));
}

std::optional<opened_session> open_session(const common_options& common) {
    auto loaded = load_settings(common);
    if (!loaded) {
        return std::nullopt;
    }
    auto redis = redis_session::open(*loaded);
    if (redis == nullptr) {
        return std::nullopt;
    }
    return opened_session{std::move(*loaded), std::move(redis)};
}

}  // namespace tocsin::cli
