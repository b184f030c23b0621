#include "engine/intake/registrar.hpp"

#include "engine/audience/unknown_commune.hpp"
#include "engine/event/refusal_codes.hpp"
#include "engine/redis/check.hpp"

#include <optional>
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

namespace {

/// Why nobody would ever be sent to for following `where`; nothing if somebody would.
std::optional<refusal> reason_against(
    const territory& where, const served_app& app, const event_preparer& known) {
    const std::string code = to_string(where.commune);
    if (known.places().find(where.commune) == nullptr) {
        return refuse(
            refusal_code::unknown_commune,
            "follow: no commune \"" + code + "\"" + unknown_commune_hint(code, known.places()));
    }
    if (!app.everywhere && !app.communes.contains(where.commune)) {
        return refusal{
            "commune_not_served", "follow: app \"" + app.id + "\" does not serve commune " + code +
                                      "; its configuration lists the communes it does"};
    }
    return std::nullopt;
}

/// The first reason, and how it went on.
refusal reason_for_the_rest(const std::vector<refusal>& reasons, std::size_t left) {
    refusal out = reasons.front();
    if (reasons.size() > 1) {
        out.message += "; and " + std::to_string(reasons.size() - 1) + " more of follow";
    }
    out.message += ". The device is registered for the other " +
                   (left == 1 ? std::string("territory") : std::to_string(left) + " territories") +
                   " that it follows.";
    return out;
}

}  // namespace

parsed<admission> admit(registration& what, const event_preparer& known, dormant_territories dormant) {
    const served_app* const app = known.app(what.app);
    if (app == nullptr) {
        return refusal{"unknown_app", "app: no app \"" + what.app + "\" is configured."};
    }
    if (!app->platforms.contains(what.platform)) {
        return refusal{
            "platform_not_configured", "platform: app \"" + what.app + "\" has no [app." +
                                           std::string(to_string(what.platform)) + "] in the configuration."};
    }
    admission out;
    if (what.op == registration_op::withdraw) {
        return out;  // Whatever it says that it followed, and whether or not its service is served any more.
    }
    if (const auto given = app->settings.find(what.platform); given != app->settings.end()) {
        if (auto fine = given->second->check_destination(what.token); !fine) {
            return fine.error();
        }
    }
    std::vector<refusal> reasons;
    std::erase_if(what.follow, [&](const territory& where) {
        auto reason = reason_against(where, *app, known);
        if (!reason) {
            return false;
        }
        if (dormant == dormant_territories::kept && known.places().ever_existed(where.commune)) {
            out.dormant.push_back(where);
            return false;
        }
        reasons.push_back(std::move(*reason));
        return true;
    });
    if (what.follow.empty()) {
        return reasons.front();
    }
    if (!reasons.empty()) {
        out.left_out = reason_for_the_rest(reasons, what.follow.size());
    }
    return out;
}

asio::awaitable<result<read_permission>> registrar::ask_to_read() {
    const std::vector<std::string> keys{store_.keys().registrar()};
    const std::vector<std::string> arguments{instance_, std::to_string(lease / 1ms)};
    redis::request ask(hold_script, keys, arguments);
    const auto held = co_await redis::execute_checked(redis_, std::move(ask));
    if (held.has_error()) {
        co_return held.error();
    }
    co_return held->front().integer() == 1 ? read_permission::granted : read_permission::denied;
}

asio::awaitable<void> registrar::leave() {
    const std::vector<std::string> keys{store_.keys().registrar()};
    const std::vector<std::string> arguments{instance_};
    redis::request ask(release_script, keys, arguments);
    co_await redis_.execute(std::move(ask));
}

namespace {

refusal damaged_record(const keyspace& keys) {
    return {
        "damaged_record",
        "what Redis holds where this device belongs is nothing that Tocsin has written: a head of " +
            keys.rosters("<app>") + ", or a bucket of its index or of a roster. Nothing was changed."};
}

}  // namespace

/// What came of reading a batch: the changes, and the entries that get a letter.
struct registrar::batch {
    struct source {
        const redis::stream_entry* entry;
        std::optional<refusal> left_out;  ///< Of a registration that was taken in part.
    };
    std::vector<device_change> changes;
    std::vector<source> sources;  ///< Of the changes.
    std::vector<std::pair<const redis::stream_entry*, refusal>> refused;
};

registrar::batch registrar::read(const std::vector<redis::stream_entry>& entries) const {
    batch out;
    for (const redis::stream_entry& entry : entries) {
        const auto document = entry.field("registration");
        if (entry.deleted) {
            log_.error("registration.lost_to_trimming", {{"entry", entry.id}});
            continue;
        }
        if (!document) {
            out.refused.emplace_back(
                &entry, refuse(refusal_code::missing_entry_field, "the entry has no field \"registration\""));
            continue;
        }
        auto what = parse_registration(known_.platforms(), *document, time_.wall_now());
        if (what.has_error()) {
            out.refused.emplace_back(&entry, std::move(what.error()));
            continue;
        }
        auto admitted = admit(*what, known_, dormant_territories::left_out);
        if (admitted.has_error()) {
            out.refused.emplace_back(&entry, std::move(admitted.error()));
            continue;
        }
        out.changes.push_back(to_change(std::move(*what)));
        out.sources.push_back({&entry, std::move(admitted->left_out)});
    }
    return out;
}

asio::awaitable<result<>> registrar::post_letter(const redis::stream_entry& entry, refusal why) {
    log_.warning(
        "registration.refused", {{"entry", entry.id}, {"reason", why.code}, {"message", why.message}});
    const auto document = entry.field("registration");
    std::string payload = document ? std::string(*document) : fields_as_json(entry);
    std::string stream = store_.keys().registrations();
    std::string id = entry.id;
    co_return co_await letters_.post(std::move(stream), std::move(id), std::move(why), std::move(payload));
}

asio::awaitable<result<>> registrar::handle(std::vector<redis::stream_entry>& entries) {
    batch work = read(entries);
    for (auto& [entry, why] : work.refused) {
        const auto posted = co_await post_letter(*entry, std::move(why));
        if (posted.has_error()) {
            co_return posted;
        }
    }
    const std::string stream = store_.keys().registrations();
    redis::request acknowledge;
    for (const redis::stream_entry& entry : entries) {
        acknowledge.add("XACK", stream, keyspace::group, entry.id);
    }
    std::uint64_t registered = 0;
    std::vector<removed_device> removed;
    for (const device_change& change : work.changes) {
        if (change.what == device_change::action::remove) {
            removed.push_back({target{change.app, change.where}, change.which.token});
        } else {
            ++registered;
        }
    }
    const std::size_t count = work.changes.size();
    const auto applied = co_await store_.apply(std::move(work.changes));
    if (applied.has_error()) {
        co_return applied.error();
    }
    // What was taken in part gets its letter when that part is durable.
    for (std::size_t i = 0; i < work.sources.size(); ++i) {
        std::optional<refusal> why = std::move(work.sources[i].left_out);
        if ((*applied)[i] == change_outcome::damaged) {
            why = damaged_record(store_.keys());
        }
        if (!why) {
            continue;
        }
        const auto posted = co_await post_letter(*work.sources[i].entry, std::move(*why));
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
    if (acknowledge.empty()) {
        co_return result<>();
    }
    const auto acknowledged = co_await redis::execute_checked(redis_, std::move(acknowledge));
    if (acknowledged.has_error()) {
        co_return acknowledged.error();
    }
    metrics_.counter(metric::registrations_total, {"register"}).add(registered);
    metrics_.counter(metric::registrations_total, {"unregister"}).add(count - registered);
    co_return result<>();
}

}  // namespace tocsin
