#include "engine/core/text.hpp"
#include "engine/core/time_of_day.hpp"
#include "engine/ops/accepted_hosts.hpp"
#include "engine/ops/config_draft.hpp"
#include "engine/ops/credential_check.hpp"
#include "engine/ops/listen_address.hpp"
#include "engine/ops/url_check.hpp"

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
    checker(config_draft& draft, wall_time now) : draft_(draft), now_(now) {}

    void check_all() {
        check_globals();
        check_quiet_hours();
        std::map<std::string, std::string> places_by_id;
        for (std::size_t i = 0; i < draft_.value.apps.size(); ++i) {
            const std::string place = "app." + std::to_string(i);
            app_settings& app = draft_.value.apps[i];
            check_id(app.id, place, places_by_id);
            check_communes(app.communes, place + ".communes");
            if (app.apns) {
                check_apns(*app.apns, place + ".apns");
            }
            if (app.fcm) {
                check_fcm(*app.fcm, place + ".fcm");
            }
            if (app.webpush) {
                check_webpush(*app.webpush, place + ".webpush");
            }
            if (!app.apns && !app.fcm && !app.webpush && draft_.sound(place + ".apns") &&
                draft_.sound(place + ".fcm") && draft_.sound(place + ".webpush")) {
                draft_.problem(
                    place, "the app reaches nobody: it needs [app.apns], [app.fcm] or [app.webpush]");
            }
        }
    }

private:
    void check_globals() {
        const settings& value = draft_.value;
        require(
            value.redis.url, "redis.url", "must say where Redis is, such as \"redis://127.0.0.1:6379/0\"");
        if (draft_.sound("redis.prefix") &&
            (value.redis.prefix.empty() || !is_word(value.redis.prefix, "._:-{}"))) {
            draft_.problem("redis.prefix", "must be one or more of A-Z a-z 0-9 . _ : - { }");
        }
        check_root(value.redis.ca_file, "redis.ca_file");
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
        const std::string key_place = "redis.certificate_key_file";
        if (redis.certificate_file.empty() && redis.certificate_key_file.empty()) {
            return;
        }
        require(redis.certificate_file, place, "is missing: the certificate of that key");
        require(redis.certificate_key_file, key_place, "is missing: the private key of the certificate");
        if (!redis.url.starts_with("rediss")) {
            draft_.problem(place, "is shown over TLS only: redis.url must begin with rediss");
        }
        check_file(redis.certificate_file, place, [this](const std::string& path) {
            return check_certificate(path, now_);
        });
        check_file(redis.certificate_key_file, key_place, [&](const std::string& path) {
            return check_certificate_key(path, redis.certificate_file);
        });
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

    void check_apns(apns_settings& apns, const std::string& place) {
        check_origin(apns.url, place + ".url");
        check_origin(apns.sandbox_url, place + ".sandbox_url");
        require(
            apns.topic, place + ".topic",
            "is missing: the bundle id of the app, such as \"fr.example.mairies\"");
        check_root(apns.ca_file, place + ".ca_file");

        const bool with_key = !apns.key_file.empty() || !draft_.sound(place + ".key_file");
        const bool with_certificate = !apns.certificate_file.empty() ||
                                      !draft_.sound(place + ".certificate_file") ||
                                      !apns.certificate_key_file.empty();
        if (with_key && with_certificate) {
            draft_.problem(
                place + ".certificate_file",
                "an app authenticates with key_file or with certificate_file; leave one of them out");
        } else if (with_certificate) {
            require(
                apns.certificate_file, place + ".certificate_file",
                "is missing: the certificate of that key");
            require(
                apns.certificate_key_file, place + ".certificate_key_file",
                "is missing: the private key of the certificate");
            check_file(apns.certificate_file, place + ".certificate_file", [this](const std::string& path) {
                return check_certificate(path, now_);
            });
            check_file(
                apns.certificate_key_file, place + ".certificate_key_file",
                [&](const std::string& path) { return check_certificate_key(path, apns.certificate_file); });
        } else {
            require(
                apns.key_file, place + ".key_file",
                "is missing: the app needs key_file, key_id and team_id, or certificate_file and "
                "certificate_key_file");
            if (with_key) {
                check_apple_id(
                    apns.key_id, place + ".key_id", "the id of the key, which is in the name of its file");
                check_apple_id(apns.team_id, place + ".team_id", "the id of the team that owns the key");
            }
            check_file(apns.key_file, place + ".key_file", check_apns_key);
        }
    }

    void check_apple_id(const std::string& id, const std::string& place, std::string_view what) {
        if (draft_.sound(place) && (id.empty() || !is_word(id, ""))) {
            draft_.problem(place, "must be " + std::string(what) + ", such as \"ABCDE12345\"");
        }
    }

    void check_fcm(fcm_settings& fcm, const std::string& place) {
        check_origin(fcm.url, place + ".url");
        check_root(fcm.ca_file, place + ".ca_file");
        if (draft_.sound(place + ".project_id") && !is_word(fcm.project_id, "-.:")) {
            draft_.problem(
                place + ".project_id",
                "must be the id of a Google Cloud project, such as \"my-project-1234\"");
        }
        require(
            fcm.service_account_file, place + ".service_account_file",
            "is missing: the JSON key file of a service account that may send to the project");
        check_file(
            fcm.service_account_file, place + ".service_account_file",
            [&](const std::string& path) { return check_service_account(path, fcm.project_id); },
            fcm.project_id.empty() ? "" : "with a project");
    }

    void check_webpush(webpush_settings& webpush, const std::string& place) {
        require(
            webpush.vapid_key_file, place + ".vapid_key_file",
            "is missing: the key that browsers subscribe with; `tocsin vapid new` makes one");
        check_file(webpush.vapid_key_file, place + ".vapid_key_file", check_vapid_key);
        require(
            webpush.subject, place + ".subject",
            "is missing: whom a push service can write to, such as \"mailto:dsi@example.fr\"");
        if (!webpush.subject.empty() && draft_.sound(place + ".subject")) {
            if (const auto fine = check_vapid_subject(webpush.subject); fine.has_error()) {
                draft_.problem(place + ".subject", fine.error().message);
            }
        }
        require(
            webpush.url, place + ".url",
            "is missing: what a tap opens if an event says nothing else, such as "
            "\"https://www.example.fr/\"");
        if (!webpush.url.empty() && draft_.sound(place + ".url")) {
            if (const auto fine = check_https_url(webpush.url); fine.has_error()) {
                draft_.problem(place + ".url", fine.error().message);
            }
        }
        for (std::string& origin : webpush.services) {
            if (!draft_.sound(place + ".services")) {
                break;
            }
            auto fine = check_service_origin(origin);
            if (fine.has_error()) {
                draft_.problem(place + ".services", fine.error().message);
            } else {
                origin = std::move(*fine);
            }
        }
        check_root(webpush.ca_file, place + ".ca_file");
    }

    void require(const std::string& value, const std::string& place, std::string_view message) {
        if (value.empty() && draft_.sound(place)) {
            draft_.problem(place, std::string(message));
        }
    }

    void check_origin(std::string& url, const std::string& place) {
        if (!draft_.sound(place)) {
            return;
        }
        auto origin = check_https_origin(url);
        if (origin.has_error()) {
            draft_.problem(place, origin.error().message);
        } else {
            url = std::move(*origin);
        }
    }

    void check_root(const std::string& path, const std::string& place) {
        check_file(path, place, [this](const std::string& file) { return check_trust_root(file, now_); });
    }

    template <class Check>
    void check_file(
        const std::string& path, const std::string& place, Check check, std::string_view circumstances = "") {
        if (path.empty() || !draft_.sound(place)) {
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
            draft_.problem(place, known->second.error().message);
        }
    }

    config_draft& draft_;
    const wall_time now_;
    std::map<std::string, parsed<>> checked_;
};

}  // namespace

void check_config(config_draft& draft, wall_time now) {
    checker(draft, now).check_all();
}

}  // namespace tocsin
