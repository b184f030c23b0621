#include "engine/plan/event_preparer.hpp"

#include "engine/core/text.hpp"
#include "engine/plan/ledger_names.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tocsin {
namespace {

namespace names = ledger_names;

constexpr std::size_t most_communes_reported = 1'000;  // Contract §6.

std::int64_t to_number(std::string_view text) noexcept {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string_view field(const ledger_fields& fields, std::string_view name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

bool serves(const served_app& app, const audience& whom) {
    if (app.everywhere || !whom.devices().empty()) {
        return true;
    }
    return std::ranges::any_of(app.communes, [&](commune_id commune) {
        return whom.contains(commune, {}) || std::ranges::any_of(whom.zones(), [&](const territory& zone) {
                   return zone.commune == commune;
               });
    });
}

/// An event for single devices is not for the platforms that none of them is on: what it says need not be
/// fit for those.
bool reaches(const audience& whom, platform on) noexcept {
    const bool devices_only = whom.communes().empty() && whom.zones().empty();
    return !devices_only || std::ranges::find(whom.devices(), on, &named_token::on) != whom.devices().end();
}

}  // namespace

const served_app* event_preparer::app(std::string_view id) const noexcept {
    const auto found = std::ranges::find(apps_, id, &served_app::id);
    return found == apps_.end() ? nullptr : &*found;
}

parsed<> event_preparer::choose_targets(active_event& event) const {
    for (const std::string& id : event.content.apps) {
        if (app(id) == nullptr) {
            std::vector<std::string_view> known;
            std::ranges::transform(
                apps_, std::back_inserter(known), [](const served_app& a) { return std::string_view(a.id); });
            const std::string_view near = nearest(id, known);
            return refusal{
                "unknown_app",
                "apps: no app \"" + id + "\" is configured" +
                    (near.empty() ? std::string(".") : "; did you mean \"" + std::string(near) + "\"?")};
        }
    }
    for (const served_app& one : apps_) {
        const bool named = event.content.apps.empty() ||
                           std::ranges::find(event.content.apps, one.id) != event.content.apps.end();
        if (!named || !serves(one, event.audience)) {
            continue;
        }
        for (const auto& [on, through] : one.platforms) {
            if (reaches(event.audience, on)) {
                event.targets.push_back({one.id, on});
            }
        }
    }
    if (event.targets.empty()) {
        return refusal{
            "no_app_serves_audience", "audience: none of the " +
                                          std::string(event.content.apps.empty() ? "configured" : "named") +
                                          " apps serves any commune of it."};
    }
    std::ranges::sort(event.targets);
    return {};
}

parsed<> event_preparer::render(active_event& event) const {
    for (const target& which : event.targets) {
        const served_app* const owner = app(which.app);
        if (owner == nullptr || !owner->platforms.contains(which.on)) {
            continue;  // Configured elsewhere: another engine's to send.
        }
        auto message = owner->platforms.at(which.on)->render(event.content);
        if (message.has_error()) {
            return refusal{message.error().code, to_string(which) + ": " + message.error().message};
        }
        event.messages.emplace(which, std::move(*message));
        event.reception.try_emplace(which);
    }
    return {};
}

void event_preparer::finish_fields(active_event& event) const {
    event.id = event.content.id;
    event.generation = generation_;
    event.seed = event_seed(event.id);
    event.expires = time_.now() + (event.content.expires_at - time_.wall_now());
    for (const auto& device : event.audience.devices()) {
        event.named_devices.insert(named_device(device.on, device.token));
    }
}

parsed<std::shared_ptr<active_event>> event_preparer::accept(
    std::string_view document, std::string_view entry) const {
    auto content = parse_event(platforms_, document, entry, limits_, time_.wall_now());
    if (content.has_error()) {
        return content.error();
    }
    auto whom = audience::resolve(platforms_, content->audience, places_);
    if (whom.has_error()) {
        return whom.error();
    }
    auto event = std::make_shared<active_event>();
    event->entry = entry;
    event->content = std::move(*content);
    event->audience = std::move(*whom);
    event->accepted_at = time_.wall_now();
    if (auto chosen = choose_targets(*event); chosen.has_error()) {
        return chosen.error();
    }
    if (auto rendered = render(*event); rendered.has_error()) {
        return rendered.error();
    }
    event->counts_communes =
        event->audience.communes().size() + event->audience.zones().size() <= most_communes_reported;
    finish_fields(*event);
    return event;
}

parsed<std::shared_ptr<active_event>> event_preparer::restore(
    std::string id, const ledger_fields& fields) const {
    // As of when it was accepted: what counts from "now" must not move with every reading.
    const wall_time accepted_at(std::chrono::milliseconds(to_number(field(fields, names::accepted_at))));
    auto content =
        parse_event(platforms_, field(fields, names::document), field(fields, "entry"), limits_, accepted_at);
    if (content.has_error()) {
        return refusal{std::string(damaged_ledger), content.error().message};
    }
    auto whom = audience::decode(field(fields, names::audience));
    if (whom.has_error()) {
        return refusal{std::string(damaged_ledger), whom.error().message};
    }
    for (const named_token& device : whom->devices()) {
        // Tokens go into paths and bodies as they are: what is stored is trusted no more than an event.
        const platform_traits& traits = platforms_[device.on];
        if (auto fine = traits.check_token(traits.written_token(device.token), "device"); !fine) {
            return refusal{std::string(damaged_ledger), fine.error().message};
        }
    }
    auto event = std::make_shared<active_event>();
    event->content = std::move(*content);
    event->content.id = std::move(id);
    event->entry = field(fields, "entry");
    event->audience = std::move(*whom);
    event->accepted_at = accepted_at;
    event->counts_communes = field(fields, names::communes) == "1";
    event->cancelled = parse_event_state(field(fields, names::state)) == event_state::cancelling;
    event->when = timetable::decode(field(fields, names::waves));
    event->pages_planned = static_cast<std::uint32_t>(to_number(field(fields, names::pages_planned)));
    event->targets = read_targets(fields);
    if (auto rendered = render(*event); rendered.has_error()) {
        return rendered.error();
    }
    finish_fields(*event);
    return event;
}

std::vector<target> read_targets(const ledger_fields& fields) {
    std::vector<target> out;
    std::string_view rest = field(fields, names::targets);
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(';'), rest.size());
        if (auto which = parse_target(rest.substr(0, end))) {
            out.push_back(std::move(*which));
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return out;
}

ledger_fields event_preparer::describe(const active_event& event, std::string_view document) const {
    std::string targets;
    for (const target& which : event.targets) {
        targets += (targets.empty() ? "" : ";") + to_string(which);
    }
    ledger_fields out;
    out.emplace(names::document, document);
    out.emplace(names::accepted_at, std::to_string(event.accepted_at.time_since_epoch().count()));
    out.emplace(names::audience, event.audience.encode());
    out.emplace(names::targets, std::move(targets));
    out.emplace(names::communes, event.counts_communes ? "1" : "0");
    if (event.content.receipts) {
        out.emplace(names::receipts, "1");
    }
    return out;
}

}  // namespace tocsin
