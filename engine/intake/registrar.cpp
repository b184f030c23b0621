#include "engine/intake/registrar.hpp"

#include "engine/event/push_services.hpp"
#include "engine/event/refusal_codes.hpp"
#include "engine/redis/check.hpp"

#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto lease = 10s;

// KEYS: lease    ARGV: instance, ms.  1 if it is ours now.
const redis::script hold_script("registrar.hold", R"lua(
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
)lua");

const redis::script release_script("registrar.release", R"lua(
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
)lua");

}  // namespace

device_change to_change(registration what) {
    device_change out;
    out.what =
        what.op == registration_op::enroll ? device_change::action::put : device_change::action::remove;
    out.app = std::move(what.app);
    out.where = what.platform;
    out.which.token = std::move(what.token);
    out.which.is_fid = what.is_fid;
    out.which.keys = std::move(what.keys);
    out.which.sandbox = what.sandbox;
    out.which.registered_at = static_cast<std::uint32_t>(what.registered_at.time_since_epoch() / 1s);
    out.which.locale = std::move(what.locale);
    out.which.mute = std::move(what.mute);
    out.which.follow = std::move(what.follow);
    return out;
}

parsed<> check_registration(const registration& what, const event_preparer& known) {
    const served_app* const app = known.app(what.app);
    if (app == nullptr) {
        return refusal{"unknown_app", "app: no app \"" + what.app + "\" is configured."};
    }
    if (!app->platforms.contains(what.platform)) {
        return refusal{
            "platform_not_configured", "platform: app \"" + what.app + "\" has no [app." +
                                           std::string(to_string(what.platform)) + "] in the configuration."};
    }
    // One that is not served any more can still be unregistered.
    if (what.platform == platform::webpush && what.op == registration_op::enroll) {
        if (auto fine = check_push_service(what.token, app->push_services); !fine) {
            return fine;
        }
    }
    for (const territory& where : what.follow) {
        if (known.places().find(where.commune) == nullptr) {
            return refuse(
                refusal_code::unknown_commune,
                "follow: no commune has the INSEE code " + to_string(where.commune) + ".");
        }
        if (!app->everywhere && !app->communes.contains(where.commune)) {
            return refusal{
                "commune_not_served", "follow: app \"" + what.app + "\" does not serve commune " +
                                          to_string(where.commune) +
                                          "; its configuration lists the communes it does."};
        }
    }
    return {};
}

asio::awaitable<result<read_permission>> registrar::ask_to_read() {
    const std::vector<std::string> keys{store_.keys().registrar()};
    const std::vector<std::string> arguments{instance_, std::to_string(lease / 1ms)};
    redis::request ask;
    ask.add_script(hold_script, keys, arguments);
    auto answer = co_await redis_.execute(std::move(ask));
    const auto held = redis::checked(std::move(answer));
    if (held.has_error()) {
        co_return held.error();
    }
    co_return held->front().integer() == 1 ? read_permission::granted : read_permission::denied;
}

asio::awaitable<void> registrar::release_lease() {
    const std::vector<std::string> keys{store_.keys().registrar()};
    const std::vector<std::string> arguments{instance_};
    redis::request ask;
    ask.add_script(release_script, keys, arguments);
    co_await redis_.execute(std::move(ask));
}

asio::awaitable<result<>> registrar::handle(std::vector<redis::stream_entry>& entries) {
    const std::string stream = store_.keys().registrations();
    std::vector<device_change> changes;
    std::vector<const redis::stream_entry*> sources;  // Of the changes.
    redis::request acknowledge;
    std::uint64_t registered = 0;
    for (const redis::stream_entry& entry : entries) {
        const auto document = entry.field("registration");
        std::optional<refusal> why;
        if (entry.deleted) {
            log_.error("registration.lost_to_trimming", {{"entry", entry.id}});
        } else if (!document) {
            why = refuse(refusal_code::missing_entry_field, "the entry has no field \"registration\"");
        } else {
            auto what = parse_registration(*document, time_.wall_now());
            if (what.has_error()) {
                why = std::move(what.error());
            } else if (auto known = check_registration(*what, known_); known.has_error()) {
                why = std::move(known.error());
            } else {
                registered += what->op == registration_op::enroll ? 1 : 0;
                changes.push_back(to_change(std::move(*what)));
                sources.push_back(&entry);
            }
        }
        if (!why) {
            acknowledge.add("XACK", stream, keyspace::group, entry.id);
            continue;
        }
        log_.warning(
            "registration.refused", {{"entry", entry.id}, {"reason", why->code}, {"message", why->message}});
        std::string payload = document ? std::string(*document) : fields_as_json(entry);
        const auto posted = co_await letters_.post(stream, entry.id, std::move(*why), std::move(payload));
        if (posted.has_error()) {
            co_return posted;
        }
    }
    if (acknowledge.empty()) {
        co_return result<>();
    }
    const std::size_t count = changes.size();
    std::vector<removed_device> removed;
    for (const device_change& change : changes) {
        if (change.what == device_change::action::remove) {
            removed.push_back({target{change.app, change.where}, change.which.token});
        }
    }
    const auto applied = co_await store_.apply(std::move(changes));
    if (applied.has_error()) {
        co_return applied.error();
    }
    for (std::size_t i = 0; i < sources.size(); ++i) {
        if ((*applied)[i] != change_outcome::damaged) {
            continue;
        }
        refusal why{
            "damaged_record",
            "what Redis holds where this device belongs is nothing that Tocsin has written: "
            "a head of " +
                store_.keys().rosters("<app>") +
                ", or a bucket of its index or of a roster. Nothing was changed."};
        log_.error("registration.refused", {{"entry", sources[i]->id}, {"reason", why.code}});
        std::string payload(sources[i]->field("registration").value_or(""));
        const auto posted =
            co_await letters_.post(stream, sources[i]->id, std::move(why), std::move(payload));
        if (posted.has_error()) {
            co_return posted;
        }
    }
    // Before the acknowledgement: once a device is known to be gone, nothing leaves for it.
    if (!removed.empty()) {
        const auto told = co_await board_.tell_removed(std::move(removed));
        if (told.has_error()) {
            co_return told.error();
        }
    }
    auto answer = co_await redis_.execute(std::move(acknowledge));
    const auto acknowledged = redis::checked(std::move(answer));
    if (acknowledged.has_error()) {
        co_return acknowledged.error();
    }
    metrics_.counter(metric::registrations_total, {"register"}).add(registered);
    metrics_.counter(metric::registrations_total, {"unregister"}).add(count - registered);
    co_return result<>();
}

}  // namespace tocsin
