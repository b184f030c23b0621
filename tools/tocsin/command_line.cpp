#include "tools/tocsin/command_line.hpp"

#include "engine/ops/config.hpp"
#include "tools/tocsin/bench_command_line.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/latency_text.hpp"
#include "tools/tocsin/version.hpp"

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

namespace tocsin::cli {
namespace {

/// Help that begins with examples: what most people open it for.
class examples_first final : public CLI::Formatter {
public:
    std::string make_description(const CLI::App* app) const override {
        const auto found = examples_.find(app->get_name());
        std::string out = app->get_description() + "\n";
        if (found != examples_.end()) {
            out += "\nExamples:\n" + found->second;
        }
        return out + "\n";
    }
    void add(const std::string& name, std::string text) { examples_[name] = std::move(text); }

private:
    std::map<std::string, std::string> examples_;
};

class parser {
public:
    parser() : app_("Tocsin: push notifications to whoever follows a French commune.", "tocsin") {
        app_.formatter(help_);
        app_.require_subcommand(1);
        app_.set_version_flag("--version", std::string("tocsin ") + version);
        app_.fallthrough();
        common(&app_);
        help_->add(
            "tocsin",
            "  tocsin demo\n"
            "  tocsin serve --config /etc/tocsin/tocsin.toml\n"
            "  tocsin publish --to commune:21231 --title 'Crue de l'\"'\"'Ouche' --watch\n");
        serve();
        publish();
        send();
        status();
        report();
        cancel();
        hold(
            "pause", "Hold what is not sent yet: everything, one app, or one platform.", true,
            "  tocsin pause\n"
            "  tocsin pause --app mairies --platform fcm\n");
        hold(
            "resume", "Send on what was paused.", false,
            "  tocsin resume\n"
            "  tocsin resume --app mairies --platform fcm\n");
        rate();
        devices();
        dead_letters();
        check_config();
        sim();
        demo();
        bench();
    }

    std::variant<command, int> parse(int argc, char** argv) {
        try {
            app_.parse(argc, argv);
        } catch (const CLI::ParseError& stop) {
            const int code = app_.exit(stop);
            return code == 0 ? int{exit_ok} : int{exit_usage};
        }
        for (const auto& [key, value] : set_) {
            out_.common.settings.emplace_back(key, *value);
        }
        std::erase_if(out_.common.settings, [](const auto& one) { return one.second == unset; });
        finish_();
        return out_;
    }

private:
    static constexpr const char* unset = "\x01";

    CLI::App* sub(const char* name, const char* description, std::string examples) {
        CLI::App* const made = app_.add_subcommand(name, description);
        help_->add(name, std::move(examples));
        made->formatter(help_);
        return made;
    }

    void common(CLI::App* to) {
        to->add_option("--config", out_.common.config, "The configuration file")->type_name("FILE");
        to->add_flag("--json", out_.common.json, "Print JSON only");
        to->add_flag("--show-tokens", out_.common.show_tokens, "Print device tokens whole");
        for (const config_flag& flag : config_flags()) {
            std::string name = "--" + flag.key;
            auto& value = set_[flag.key] = std::make_unique<std::string>(unset);
            to->add_option(name, *value, std::string(flag.help))
                ->group("Settings (over file and environment)")
                ->type_name("VALUE")
                ->default_str("");
        }
    }

    template <class Options>
    void on_parse(CLI::App* command, std::shared_ptr<Options> options) {
        command->callback([this, options] { finish_ = [this, options] { out_.what = *options; }; });
    }

    void serve() {
        auto options = std::make_shared<serve_options>();
        on_parse(
            sub("serve", "Run the engine.",
                "  tocsin serve --config tocsin.toml\n"
                "  TOCSIN_REDIS_URL=rediss://redis.example/0 tocsin serve\n"),
            options);
    }

    void publish() {
        auto options = std::make_shared<publish_options>();
        CLI::App* const at =
            sub("publish", "Add an event to the stream.",
                "  tocsin publish --to commune:21231 --title 'Crue' --body 'Évitez les quais.' --priority "
                "critical --watch\n"
                "  tocsin publish --to epci:242100410 --to zone:21231:centre --title 'Travaux' --ttl 3600\n"
                "  tocsin publish --file event.json --json\n"
                "  tocsin publish --file event.json --id second-try --priority high\n");
        at->add_option(
              "--to", options->to,
              "Whom: commune:INSEE, epci:SIREN, department:CODE, zone:INSEE:NAME, everyone, "
              "device:PLATFORM:TOKEN")
            ->type_name("SELECTOR");
        at->add_option("--title", options->title, "What the resident reads first");
        at->add_option("--subtitle", options->subtitle, "A line below the title (APNs)");
        at->add_option("--body", options->body, "The text");
        at->add_option("--url", options->url, "What a tap opens");
        at->add_option("--image", options->image, "An https address of a picture");
        at->add_option("--category", options->category, "A word that devices can mute");
        at->add_option("--priority", options->priority, "critical, high, normal or low");
        at->add_option("--ttl", options->ttl, "Seconds after which it is no longer worth sending");
        at->add_option("--spread", options->spread, "Seconds over which the pushes are spaced");
        at->add_option("--send-at", options->send_at, "When to send (RFC 3339)");
        at->add_option("--id", options->id, "The idempotency key; default: the stream entry's id");
        at->add_option("--collapse-id", options->collapse_id, "What replaces an earlier notification");
        at->add_option("--app", options->apps, "Only through this app (repeatable)");
        at->add_option("--data", options->data, "KEY=VALUE for the app (repeatable)");
        at->add_option("--mode", options->mode, "actual or dry_run");
        at->add_option(
              "--file", options->file, "An event as JSON, which the other flags change; - for standard input")
            ->type_name("FILE");
        at->add_flag("--watch", options->watch, "Follow it to its result");
        on_parse(at, options);
    }

    void send() {
        auto options = std::make_shared<send_options>();
        CLI::App* const at =
            sub("send", "Send a test push straight to one device, without Redis.",
                "  tocsin send --app mairies --platform apns --token 5f2c… --title Test --body Bonjour\n"
                "  tocsin send --app mairies --platform fcm --token dXo9… --title Test --validate-only\n");
        at->add_option("--app", options->app, "The app, as configured")->required();
        at->add_option("--platform", options->platform, "apns or fcm")->required();
        at->add_option("--token", options->token, "The device token")->required();
        at->add_option("--title", options->title, "What the resident reads first")->required();
        at->add_option("--body", options->body, "The text");
        at->add_option("--priority", options->priority, "critical, high, normal or low");
        at->add_option("--data", options->data, "KEY=VALUE for the app (repeatable)");
        at->add_flag("--sandbox", options->sandbox, "APNs: the token is of the development environment");
        at->add_flag("--validate-only", options->validate_only, "FCM: check, deliver nothing");
        on_parse(at, options);
    }

    void status() {
        auto options = std::make_shared<status_options>();
        CLI::App* const at =
            sub("status", "Progress and result of an event; without one, what is running.",
                "  tocsin status\n"
                "  tocsin status crue-ouche-2026-11-23 --watch\n"
                "  tocsin status crue-ouche-2026-11-23 --json\n");
        at->add_option("event", options->event, "The event's id")->type_name("EVENT");
        at->add_flag(
            "--watch", options->watch, "Follow it to its result; without an event, look again every second");
        on_parse(at, options);
    }

    void report() {
        auto options = std::make_shared<report_options>();
        CLI::App* const at =
            sub("report", "Reach of an event, commune by commune.",
                "  tocsin report crue-ouche-2026-11-23\n"
                "  tocsin report crue-ouche-2026-11-23 --json\n");
        at->add_option("event", options->event, "The event's id")->type_name("EVENT")->required();
        on_parse(at, options);
    }

    void cancel() {
        auto options = std::make_shared<cancel_options>();
        CLI::App* const at =
            sub("cancel", "Stop what an event has not sent yet.",
                "  tocsin cancel crue-ouche-2026-11-23\n"
                "  tocsin cancel crue-ouche-2026-11-23 --watch\n");
        at->add_option("event", options->event, "The event's id")->type_name("EVENT")->required();
        at->add_flag("--watch", options->watch, "Wait for its result: the exact numbers");
        on_parse(at, options);
    }

    void hold(const char* name, const char* description, bool holds, std::string examples) {
        auto options = std::make_shared<hold_options>();
        options->hold = holds;
        CLI::App* const at = sub(name, description, std::move(examples));
        at->add_option("--app", options->app, "Only this app; default: every app");
        at->add_option("--platform", options->platform, "apns or fcm; default: both");
        on_parse(at, options);
    }

    void rate() {
        auto options = std::make_shared<rate_options>();
        CLI::App* const at =
            sub("rate", "Change a rate in all running engines, until the next reload.",
                "  tocsin rate --app mairies --platform fcm --set 2000\n"
                "  tocsin rate --app mairies --platform fcm --set 0      # no limit\n");
        at->add_option("--app", options->app, "The app, as configured")->required();
        at->add_option("--platform", options->platform, "apns or fcm")->required();
        at->add_option("--set", options->rate, "Pushes per second over all engines; 0: no limit")
            ->required()
            ->check(CLI::Range(0, 10'000'000));
        on_parse(at, options);
    }

    void devices() {
        CLI::App* const at =
            sub("devices", "The device store.",
                "  tocsin devices import registrations.jsonl\n"
                "  tocsin devices count\n"
                "  tocsin devices show 5f2c…\n"
                "  tocsin devices forget 5f2c…\n");
        at->require_subcommand(1);
        const auto add = [&](const char* name, const char* description, devices_options::action what,
                             const char* argument, const char* about) {
            auto options = std::make_shared<devices_options>();
            options->what = what;
            CLI::App* const one = at->add_subcommand(name, description);
            one->fallthrough();
            if (argument != nullptr) {
                one->add_option(argument, options->argument, about)->required();
            }
            on_parse(one, options);
        };
        add("import", "Register devices from a file, one registration document per line",
            devices_options::action::import, "file", "The file; - for standard input");
        add("export",
            "Write every device as a registration document per line (with --show-tokens for a backup)",
            devices_options::action::export_, nullptr, nullptr);
        add("count", "How many devices there are, by app and platform", devices_options::action::count,
            nullptr, nullptr);
        add("show", "What is known of a device", devices_options::action::show, "token", "The device token");
        add("forget", "Remove a device from everything it follows", devices_options::action::forget, "token",
            "The device token");
    }

    void dead_letters() {
        CLI::App* const at =
            sub("dead-letters", "Entries that could not be accepted, and why.",
                "  tocsin dead-letters list\n"
                "  tocsin dead-letters show 1763870000000-0\n"
                "  tocsin dead-letters show 1763870000000-0 --show-tokens\n"
                "  tocsin dead-letters retry 1763870000000-0\n"
                "  tocsin dead-letters drop --all\n");
        at->require_subcommand(1);
        const auto add = [&](const char* name, const char* description, dead_letters_options::action what) {
            auto options = std::make_shared<dead_letters_options>();
            options->what = what;
            CLI::App* const one = at->add_subcommand(name, description);
            one->fallthrough();
            if (what == dead_letters_options::action::list) {
                one->add_option("--limit", options->limit, "The newest so many")->default_str("20");
            } else {
                one->add_option("id", options->ids, "The letter's id, as listed, or its entry's");
                if (what != dead_letters_options::action::show) {
                    one->add_flag("--all", options->all, "All letters");
                }
            }
            on_parse(one, options);
        };
        add("list", "The newest letters", dead_letters_options::action::list);
        add("show", "One letter, whole", dead_letters_options::action::show);
        add("retry", "Put the entry back on its stream", dead_letters_options::action::retry);
        add("drop", "Delete the letter", dead_letters_options::action::drop);
    }

    void check_config() {
        auto options = std::make_shared<check_config_options>();
        CLI::App* const at =
            sub("check-config", "Everything that serve would reject.",
                "  tocsin check-config --config tocsin.toml\n"
                "  tocsin check-config --online\n");
        at->add_flag(
            "--online", options->online,
            "Also shake hands with Redis and each provider, and ask for access tokens");
        on_parse(at, options);
    }

    void sim() {
        auto options = std::make_shared<sim_options>();
        CLI::App* const at =
            sub("sim", "Run the provider simulator: APNs, FCM and OAuth over TLS.",
                "  tocsin sim                              # writes tocsin-sim/tocsin.toml, ready for serve\n"
                "  tocsin sim --latency lognormal:40:200 --dead-share 0.03\n"
                "  tocsin sim --behaviour "
                "'{\"fcm\":{\"errors\":[{\"reason\":\"UNAVAILABLE\",\"share\":0.01}]}}'\n");
        auto& how = options->simulator;
        at->add_option("--directory", how.directory, "Receives certificates, keys and tocsin.toml")
            ->type_name("DIR")
            ->default_str("tocsin-sim");
        at->add_option("--address", how.address, "What the provider ports listen on")
            ->default_str("127.0.0.1");
        at->add_option("--apns-port", how.ports.apns, "0: any free one")->default_str("8443");
        at->add_option("--sandbox-port", how.ports.sandbox, "0: any free one")->default_str("8444");
        at->add_option("--fcm-port", how.ports.fcm, "0: any free one")->default_str("8445");
        at->add_option("--oauth-port", how.ports.oauth, "0: any free one")->default_str("8446");
        at->add_option("--control-port", how.ports.control, "0: any free one")->default_str("8447");
        at->add_option("--threads", how.threads, "That serve APNs and FCM")->default_str("1");
        at->add_option("--apns-streams", how.apns_streams, "MAX_CONCURRENT_STREAMS of APNs")
            ->default_str("1000");
        at->add_option("--fcm-streams", how.fcm_streams, "MAX_CONCURRENT_STREAMS of FCM")->default_str("100");
        at->add_option(
            "--latency", latency_,
            "none, fixed:MS, uniform:MS:MS or lognormal:MEDIAN_MS:P99_MS, of both providers");
        at->add_option("--dead-share", dead_share_, "Share of the tokens that are dead, 0 to 1");
        at->add_option("--seed", how.initial.seed, "Of everything that is left to chance")->default_str("1");
        at->add_option("--redis-url", how.redis_url, "For the tocsin.toml that is written");
        at->add_option("--redis-prefix", how.redis_prefix, "For the tocsin.toml that is written");
        at->add_option("--admin-listen", how.admin_listen, "For the tocsin.toml that is written");
        at->add_option(
              "--rate", rate_,
              "Pushes per second that the tocsin.toml that is written allows each app and provider")
            ->default_str("0");
        at->add_option("--script", how.script_file, "JSON file of behaviour changes by time")
            ->type_name("FILE");
        at->add_option("--behaviour", options->behaviour, "A JSON document as POST /behaviour takes it");
        at->add_option(
              "--answers", answers_,
              "How answers are written: batched, record (a TLS record each) or write (a system call each)")
            ->check(CLI::IsMember({"batched", "record", "write"}))
            ->default_str("batched");
        at->callback([this, options] {
            finish_ = [this, options] {
                for (auto& provider : options->simulator.initial.providers) {
                    provider.delay = delay_;
                    provider.dead_share = dead_share_;
                }
                for (auto& app : options->simulator.apps) {
                    app.apns_rate = rate_;
                    app.fcm_rate = rate_;
                }
                options->simulator.pattern = answers_ == "record" ? sim::answer_pattern::one_record_per_answer
                                             : answers_ == "write" ? sim::answer_pattern::one_write_per_answer
                                                                   : sim::answer_pattern::batched;
                out_.what = *options;
            };
            if (!latency_.empty()) {
                const auto parsed = parse_latency(latency_);
                if (parsed.has_error()) {
                    throw CLI::ValidationError("--latency", parsed.error().message);
                }
                delay_ = *parsed;
            }
        });
    }

    void demo() {
        auto options = std::make_shared<demo_options>();
        CLI::App* const at =
            sub("demo", "The main job, end to end, on a private Redis and the simulator.",
                "  tocsin demo\n"
                "  tocsin demo --epci 200046977 --share 0.2      # Lyon\n");
        at->add_option("--epci", options->epci, "The EPCI that is alerted")->default_str("242100410");
        at->add_option("--share", options->share, "Of the inhabitants, that follow their commune")
            ->default_str("0.35")
            ->check(CLI::Range(0.0, 1.0));
        at->add_option("--dead-share", options->dead_share, "Of the devices, that are gone")
            ->default_str("0.03")
            ->check(CLI::Range(0.0, 1.0));
        at->add_option("--keep", options->keep, "A directory to leave logs and configuration in")
            ->type_name("DIR");
        on_parse(at, options);
    }

    void bench() {
        CLI::App* const at =
            sub("bench", "Load benchmark: a private Redis, the simulator and the engine, a process each.",
                std::string(bench_examples));
        add_bench(
            *at, [this](bench_options how) { finish_ = [this, how] { out_.what = how; }; },
            [this](bench_compare_options how) { finish_ = [this, how] { out_.what = how; }; });
    }

    std::shared_ptr<examples_first> help_ = std::make_shared<examples_first>();
    CLI::App app_;
    command out_;
    std::map<std::string, std::unique_ptr<std::string>> set_;
    std::function<void()> finish_ = [] {};
    std::string latency_;
    sim::latency delay_;
    std::string answers_ = "batched";
    double dead_share_ = 0;
    std::uint32_t rate_ = 0;
};

}  // namespace

std::variant<command, int> parse_command_line(int argc, char** argv) {
    return parser().parse(argc, argv);
}

}  // namespace tocsin::cli
