#include "engine/core/text.hpp"
#include "engine/core/time_of_day.hpp"
#include "engine/ops/accepted_hosts.hpp"
#include "engine/ops/config_checks.hpp"
#include "engine/ops/config_draft.hpp"
#include "engine/ops/listen_address.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <system_error>

namespace tocsin {
namespace {

constexpr std::size_t longest_app_id = 64;
constexpr std::size_t longest_instance = 128;
constexpr auto deferrable = std::to_array<std::string_view>({"high", "normal", "low"});

/// The form of an INSEE code: five digits, the second of which is A or B in Corsica (2A004, 2B033).
bool is_insee_code(std::string_view code) noexcept {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return code.size() == 5 && digit(code[0]) &&
           (digit(code[1]) || (code[0] == '2' && (code[1] == 'A' || code[1] == 'B'))) &&
           std::ranges::all_of(code.substr(2), digit);
}

class checker {
public:
    checker(config_draft& draft, const config_table& table, wall_time now)
        : draft_(draft), table_(table), checks_(draft, now) {}

    void check_all() {
        check_globals();
        check_quiet_hours();
        std::map<std::string, std::string> places_by_id;
        for (std::size_t i = 0; i < draft_.value.apps.size(); ++i) {
            const std::string place = "app." + std::to_string(i);
            app_settings& app = draft_.value.apps[i];
            check_id(app.id, place, places_by_id);
            check_communes(app.communes, place + ".communes");
            check_platforms(app, place);
        }
    }

private:
    void check_globals() {
        const settings& value = draft_.value;
        checks_.require(
            value.redis.url, "redis.url", "must say where Redis is, such as \"redis://127.0.0.1:6379/0\"");
        if (draft_.sound("redis.prefix") &&
            (value.redis.prefix.empty() || !is_word(value.redis.prefix, "._:-{}"))) {
            draft_.problem("redis.prefix", "must be one or more of A-Z a-z 0-9 . _ : - { }");
        }
        checks_.check_root(value.redis.ca_file, "redis.ca_file");
        check_redis_certificate(value.redis);
        if (value.engine.instance.size() > longest_instance || !is_word(value.engine.instance, "._:-")) {
            draft_.problem("engine.instance", "must be at most 128 of A-Z a-z 0-9 . _ : -");
        }
        if (draft_.sound("admin.listen") && !value.admin.listen.empty()) {
            if (const auto address = parse_listen_address(value.admin.listen); address.has_error()) {
                draft_.problem("admin.listen", address.error().message);
            }
        }
        for (const std::string& name : value.admin.hosts) {
            if (!is_host_pattern(name) && draft_.sound("admin.hosts")) {
                draft_.problem(
                    "admin.hosts", "\"" + name +
                                       "\" is no host name, such as \"tocsin.example.org\" or "
                                       "\"*.example.org\": neither scheme nor port belong to it");
            }
        }
        if (draft_.sound("territories.file") && !value.territories.file.empty()) {
            std::error_code problem;
            if (!std::filesystem::is_regular_file(value.territories.file, problem)) {
                draft_.problem(
                    "territories.file", value.territories.file + " cannot be read: " +
                                            (problem ? problem.message() : "it is not a regular file"));
            }
        }
    }

    void check_quiet_hours() {
        const quiet_hours_settings& quiet = draft_.value.quiet_hours;
        check_time(quiet.from, quiet.to, "quiet_hours.from");
        check_time(quiet.to, quiet.from, "quiet_hours.to");
        if (!quiet.from.empty() && quiet.from == quiet.to && draft_.sound("quiet_hours.to")) {
            draft_.problem(
                "quiet_hours.to", "is the same time as from: that would be the whole day, or none of it");
        }
        for (const std::string& name : quiet.priorities) {
            const std::string place = "quiet_hours.priorities";
            if (name == "critical") {
                draft_.problem(
                    place, "critical events wait for nobody: the list may hold high, normal and low");
            } else if (std::ranges::find(deferrable, name) == deferrable.end() && draft_.sound(place)) {
                const std::string_view meant = nearest(name, deferrable);
                draft_.problem(
                    place, "\"" + name + "\" is no priority" +
                               (meant.empty() ? ": the list may hold high, normal and low"
                                              : "; did you mean " + std::string(meant) + "?"));
            }
        }
        for (const std::string& name : quiet.categories) {
            if (name.empty()) {
                draft_.problem("quiet_hours.categories", "holds an empty text, which no event can have");
            }
        }
    }

    void check_platforms(const app_settings& app, const std::string& place) {
        bool tried = !app.platforms.empty();  // One that is no table was complained of already.
        for (const platform_configuration* const one : table_.platforms()) {
            const std::string here = place + "." + std::string(to_string(one->kind()));
            tried = tried || !draft_.sound(here);
            if (const auto given = app.platforms.find(one->kind()); given != app.platforms.end()) {
                one->check(*given->second, here, checks_);
            }
        }
        if (!tried) {
            draft_.problem(place, "the app reaches nobody: it needs " + list_platforms("or", "[app.", "]"));
        }
    }

    void check_time(const std::string& time, const std::string& other, const std::string& place) {
        if (!draft_.sound(place)) {
            return;
        }
        if (time.empty() && !other.empty()) {
            draft_.problem(
                place, "is missing: quiet hours need from and to, such as \"21:30\" and \"07:00\"");
        } else if (!time.empty() && !parse_time_of_day(time)) {
            draft_.problem(
                place, "must be a time from \"00:00\" to \"23:59\", such as \"07:00\", not \"" + time + "\"");
        }
    }

    void check_redis_certificate(const redis_settings& redis) {
        const std::string place = "redis.certificate_file";
        const std::string place_of_key = "redis.certificate_key_file";
        if (redis.certificate_file.empty() && redis.certificate_key_file.empty()) {
            return;
        }
        checks_.require(redis.certificate_file, place, "is missing: the certificate of that key");
        if (!redis.url.starts_with("rediss")) {
            draft_.problem(place, "is shown over TLS only: redis.url must begin with rediss");
        }
        checks_.check_certificate_pair(
            redis.certificate_file, place, redis.certificate_key_file, place_of_key);
    }

    void check_id(const std::string& id, const std::string& app, std::map<std::string, std::string>& seen) {
        const std::string place = app + ".id";
        if (!draft_.sound(place)) {
            return;
        }
        if (id.empty() || id.size() > longest_app_id || !is_word(id, "._-")) {
            draft_.problem(place, "each app needs an id of 1 to 64 of A-Z a-z 0-9 . _ -");
            return;
        }
        const auto [first, fresh] = seen.emplace(id, place);
        if (!fresh) {
            draft_.problem(
                place, "the app in line " + std::to_string(draft_.origin_of(first->second).line) +
                           " is called \"" + id + "\" already; each app needs an id of its own");
        }
    }

    void check_communes(const std::vector<std::string>& communes, const std::string& place) {
        if (!draft_.sound(place)) {
            return;
        }
        if (communes.empty()) {
            draft_.problem(
                place, "must list the INSEE codes that the app serves, or [\"*\"] for every commune");
            return;
        }
        std::set<std::string_view> seen;
        for (const std::string& code : communes) {
            if (code == "*" && communes.size() > 1) {
                draft_.problem(place, "\"*\" is every commune: it stands alone");
            } else if (code != "*" && !is_insee_code(code)) {
                draft_.problem(
                    place, "\"" + code +
                               "\" is not an INSEE code, such as \"21231\" or \"2A004\"; a postal "
                               "code is something else");
            } else if (!seen.insert(code).second) {
                draft_.problem(place, "\"" + code + "\" is listed twice");
            }
        }
    }

    config_draft& draft_;
    const config_table& table_;
    config_checks checks_;
};

}  // namespace

void check_config(config_draft& draft, const config_table& table, wall_time now) {
    checker(draft, table, now).check_all();
}

}  // namespace tocsin
