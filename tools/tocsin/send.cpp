#include "engine/core/digest.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/event/json_document.hpp"
#include "engine/event/registration.hpp"
#include "engine/ops/metrics.hpp"
#include "providers/known_platforms.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/engine_conduct.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/hold.hpp"
#include "tools/tocsin/input_file.hpp"
#include "tools/tocsin/key_value.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <random>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

using namespace std::chrono_literals;

struct send_options {
    std::string app, platform, token, title, body, priority;
    std::string subscription;
    std::vector<std::string> data;
    bool sandbox = false;
    bool validate_only = false;
};

constexpr auto patience = 15s;
// With nothing but failures to connect: long enough for a second and third attempt.
constexpr auto patience_without_connection = 2s;

/// Keeps the last thing that went wrong: it is the explanation when no answer comes.
class last_words final : public logger {
public:
    [[nodiscard]] bool enabled(log_level level) const noexcept override {
        return level >= log_level::warning;
    }
    void write(log_level level, std::string_view event, std::span<const log_field> fields) noexcept override {
        if (!enabled(level)) {
            return;
        }
        text = event;
        for (const log_field& field : fields) {
            if (field.key == "problem") {  // A sentence that stands by itself.
                text = field.value;
                return;
            }
            text += fmt::format(" {}={}", field.key, field.value);
        }
    }
    std::string text;
};

/// A queue of one push.
class single_push final : public push_source {
public:
    explicit single_push(boost::asio::io_context& loop) : loop_(loop) {}

    push item;
    time_point sent{};
    time_point answered{};
    bool over = false;
    verdict what;
    std::string reason;
    std::string provider_id;

    [[nodiscard]] push* take(time_point now) noexcept override {
        if (taken_) {
            return nullptr;
        }
        taken_ = true;
        sent = now;
        item.written_at = now;
        return &item;
    }
    [[nodiscard]] bool urgent() const noexcept override { return true; }
    void settle(push&, const verdict& answer, time_point now) noexcept override {
        // Certainly not processed: the connection's trouble, not the push's. A person waits, so again.
        const bool again =
            (answer.action == reaction::resend || answer.action == reaction::refresh_credential) &&
            ++tries_ < 3;
        if (again) {
            taken_ = false;
            return;
        }
        over = true;
        answered = now;
        what = answer;
        reason = answer.reason;
        provider_id = answer.provider_id;
        loop_.stop();
    }

private:
    boost::asio::io_context& loop_;
    bool taken_ = false;
    int tries_ = 0;
};

std::string why_no_answer(const provider& through, const single_push& queue, const last_words& log) {
    if (const credential_state credential = through.credential(); !credential.usable) {
        return credential.problem;
    }
    if (queue.over) {
        return through.explain(0, queue.reason) + (log.text.empty() ? "" : " " + log.text);
    }
    return !log.text.empty() ? log.text : "no answer within " + spoken_ms(patience / 1ms);
}

publish_event event_of(const send_options& how, const time_source& time) {
    publish_event out;
    const auto now = time.wall_now();
    out.id = "manual-" + std::to_string(now.time_since_epoch().count());
    out.expires_at = now + 1h;
    notification shown;
    shown.title = how.title;
    shown.body = how.body;
    out.notification = std::move(shown);
    if (!how.priority.empty()) {
        const auto priority = parse_priority(how.priority);
        if (!priority) {
            throw command_end(exit_usage, "--priority: critical, high, normal or low");
        }
        out.priority = *priority;
    }
    for (const std::string& pair : how.data) {
        const auto split = split_key_value(pair);
        if (!split) {
            throw command_end(exit_usage, "--data: \"" + pair + "\" is not KEY=VALUE");
        }
        out.data.emplace_back(split->first, split->second);
    }
    if (how.validate_only) {
        out.mode = delivery_mode::dry_run;
        out.overrides[platform::fcm]["validate_only"] = true;
        out.validated[static_cast<std::size_t>(platform::fcm)] = true;
    }
    return out;
}

/// Whom a test push is for.
struct recipient {
    std::string written;  ///< The token as documents have it.
    std::string token;    ///< As the store has it.
    std::string keys;
};

/// A subscription as the browser gave it, alone or in a registration.
recipient read_subscription_file(const std::string& file) {
    // Read as a registration would be, so that what works here works there.
    const std::string about = file + ": ";
    const auto document =
        value_or_end(parse_document(read_input(file, exit_usage), document_limits{}), exit_usage, about);
    const auto* const inner = document.if_contains("subscription");
    const boost::json::object whole{
        {"op", "unregister"},
        {"app", "any"},
        {"platform", "webpush"},
        {"subscription", inner == nullptr ? boost::json::value(document) : *inner}};
    const registration read = value_or_end(
        parse_registration(known_platforms(), boost::json::serialize(whole), wall_time{}), exit_usage, about);
    return {read.token, read.token, read.keys};
}

recipient recipient_of(platform on, const send_options& how) {
    if (on == platform::webpush) {
        if (how.subscription.empty()) {
            throw command_end(
                exit_usage,
                "--subscription FILE: for webpush an endpoint is not enough, the keys are needed to encrypt");
        }
        return read_subscription_file(how.subscription);
    }
    if (how.token.empty()) {
        throw command_end(exit_usage, "--token is required for " + how.platform);
    }
    if (!how.subscription.empty()) {
        throw command_end(exit_usage, "--subscription is for --platform webpush");
    }
    value_or_end(known_platforms()[on].check_token(how.token, "--token"), exit_usage);
    return {how.token, known_platforms()[on].stored_token(how.token), {}};
}

int send(const common_options& common, const send_options& how) {
    const platform on = platform_of(how.platform);
    const recipient whom = recipient_of(on, how);
    if (how.validate_only && on != platform::fcm) {
        throw command_end(
            exit_usage, "--validate-only: only FCM has such a thing; use it with --platform fcm");
    }
    const settings configured = load_settings(common);
    const system_time_source time;
    const publish_event event = event_of(how, time);
    boost::asio::io_context loop(1);
    last_words log;
    metrics numbers;
    std::random_device entropy;
    const provider_runtime runtime{loop.get_executor(), 1, time, log, entropy()};
    const auto providers = open_providers(configured, runtime);
    const auto through = std::ranges::find_if(
        providers, [&](const auto& one) { return one->app() == how.app && one->kind() == on; });
    if (through == providers.end()) {
        throw command_end(
            exit_usage, "no app \"" + how.app + "\" with [app." + how.platform + "] is configured");
    }
    const auto content = value_or_end((*through)->render(event), exit_usage);
    single_push queue(loop);
    queue.item.token = whom.token;
    queue.item.keys = whom.keys;
    queue.item.content = content.get();
    queue.item.sandbox = how.sandbox;
    {
        const auto out = (*through)->open({loop.get_executor(), 0, time, log, numbers.add_shard(), queue});
        out->wake();
        const time_point deadline = time.now() + patience;
        std::optional<time_point> cut_off_since;
        while (!queue.over && time.now() < deadline) {
            loop.restart();
            loop.run_for(50ms);
            out->wake();
            const channel_statistics all = out->statistics();
            const bool cut_off = !log.text.empty() && all.connections_ready + all.connections_draining == 0;
            cut_off_since = cut_off ? cut_off_since.value_or(time.now()) : std::optional<time_point>();
            if (cut_off_since && time.now() - *cut_off_since > patience_without_connection) {
                break;
            }
        }
    }
    if (!queue.over || queue.what.status == 0) {
        const std::string why = why_no_answer(**through, queue, log);
        if (common.json) {
            print_json(boost::json::object{
                {"app", how.app}, {"platform", how.platform}, {"status", nullptr}, {"error", why}});
        } else {
            complain("no answer from the provider: " + why);
        }
        return exit_unreachable;
    }
    const bool accepted = queue.what.action == reaction::accept;
    const double latency = std::chrono::duration<double, std::milli>(queue.answered - queue.sent).count();
    const std::string meaning = (*through)->explain(queue.what.status, queue.reason);
    if (common.json) {
        print_json(boost::json::object{
            {"app", how.app},
            {"platform", how.platform},
            {"token", common.show_tokens ? whom.written : shorten_token(whom.written)},
            {"status", queue.what.status},
            {"reason", queue.reason},
            {"provider_id", queue.provider_id},
            {"meaning", meaning},
            {"in_an_event", engine_conduct(queue.what.action)},
            {"latency_ms", latency},
            {"accepted", accepted}});
    } else {
        print(fmt::format(
            "status       {}",
            inked(
                accepted ? ink::green : ink::red,
                std::to_string(queue.what.status) + (queue.reason.empty() ? "" : " " + queue.reason))));
        if (!queue.provider_id.empty()) {
            print("provider id  " + shown(queue.provider_id));
        }
        print("meaning      " + shown(meaning));
        print(fmt::format("in an event  {}", engine_conduct(queue.what.action)));
        print(fmt::format("latency      {:.1f} ms", latency));
        print("token        " + (common.show_tokens ? whom.written : shorten_token(whom.written)));
    }
    return accepted ? exit_ok : exit_failed;
}

}  // namespace

command send_command() {
    const auto how = std::make_shared<send_options>();
    return {
        .name = "send",
        .group = command_group::publish,
        .summary = "Send a test push straight to one device, without Redis.",
        .examples =
            "tocsin send --app mairies --platform apns --token 5f2c… --title Test --body Bonjour\n"
            "tocsin send --app mairies --platform fcm --token dXo9… --title Test --validate-only\n"
            "tocsin send --app mairies --platform webpush --subscription browser.json --title Test\n",
        .options =
            {
                option("--app", how->app, "The app, as configured").value("APP").required(),
                option("--platform", how->platform, "`apns`, `fcm` or `webpush`")
                    .value("PLATFORM")
                    .required(),
                option("--token", how->token, "APNs and FCM: the device token").value("TOKEN"),
                option(
                    "--subscription", how->subscription,
                    "Web Push: the browser's `PushSubscription.toJSON()`, or a registration with it")
                    .value("FILE"),
                option("--title", how->title, "What the resident reads first").required(),
                option("--body", how->body, "The text"),
                option("--priority", how->priority, "`critical`, `high`, `normal` or `low`")
                    .value("PRIORITY"),
                option("--data", how->data, "For the app").value("KEY=VALUE"),
                option("--sandbox", how->sandbox, "APNs: the token belongs to the development environment"),
                option("--validate-only", how->validate_only, "FCM: check, deliver nothing"),
            },
        .details =
            "Needs no Redis, no store and no engine. Waits 15 seconds for the answer.\n\n"
            "Prints the status, the provider's id, the meaning of the answer and what to do about it, how "
            "the engine would react to such an answer in an event, and the latency. `send` itself does not "
            "react: it counts, removes and retries nothing. `--json`: `app`, `platform`, `token`, `status`, "
            "`reason`, `provider_id`, "
            "`meaning`, "
            "`in_an_event`, `latency_ms`, `accepted`.\n\n"
            "Exit codes: 0 accepted, 1 refused, 69 no answer; a message then says what is known of the "
            "reason.",
        .run = [how](const common_options& common) { return send(common, *how); },
    };
}

}  // namespace tocsin::cli
