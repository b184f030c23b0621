#include "engine/delivery/page.hpp"

#include "engine/core/digest.hpp"
#include "engine/core/histogram.hpp"
#include "engine/plan/dead_device.hpp"
#include "engine/plan/ledger_names.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

namespace names = ledger_names;

// A provider's reasons are few; a hostile one may not grow a page without end.
constexpr std::size_t most_reasons = 64;

/// The rule that keeps a device from being sent to twice, without remembering anybody: of all it
/// follows, only the first territory that the audience names counts.
bool first_match(const audience& whom, const roster_entry& entry, const territory& here) {
    follow_reader reader(entry.follows);
    while (const auto item = reader.next()) {
        if (item->commune == here.commune && item->zone == here.zone) {
            return true;
        }
        if (whom.contains(item->commune, item->zone)) {
            return false;
        }
    }
    return true;  // Follows this roster's territory only.
}

}  // namespace

void ask_for_devices(
    redis::request& into, const keyspace& keys, const target& which, const std::vector<bucket_run>& runs) {
    for (const bucket_run& run : runs) {
        const std::string name = to_string(run.where);
        for (std::uint32_t b = run.first; b < run.first + run.count; ++b) {
            into.add("HVALS", keys.roster_bucket(which.app, which.on, name, run.generation, b));
        }
    }
}

page::page(std::shared_ptr<active_shard> from, std::uint32_t index, time_point now)
    : from_(std::move(from)), index_(index), read_at_(now) {
    const auto found = from_->event->reception.find(from_->which);
    reception_ = found == from_->event->reception.end() ? nullptr : &found->second;
}

void page::add(std::string_view token, std::string_view entry, std::uint32_t roster, const message* content) {
    push item;
    item.token = token;
    item.content = content;
    item.owner = this;
    item.territory = roster;
    pushes_.push_back(item);
    entries_.push_back(entry);
}

std::string_view page::whole_token(const roster_record& from) {
    const auto& pieces = from.token.of;
    return from.token.size() == pieces.front().size() ? pieces.front() : tokens_.join(pieces);
}

void page::fill(
    redis::replies storage, std::size_t first, const std::vector<bucket_run>& runs,
    token_beginnings beginnings, const message* content) {
    storage_ = std::move(storage);
    std::size_t size = 0;
    for (std::size_t i = first; i < storage_.size(); ++i) {
        size += storage_[i].size();
    }
    pushes_.reserve(size);
    entries_.reserve(size);
    const active_event& event = *from_->event;
    const std::string& category = event.content.category;
    const bool names_devices = !event.named_devices.empty();
    std::size_t reply_index = first;
    for (const bucket_run& run : runs) {
        const auto roster = static_cast<std::uint32_t>(communes_.size());
        communes_.push_back(run.where.commune.value());
        targeted_by_roster_.push_back(0);
        for (std::uint32_t b = 0; b < run.count; ++b, ++reply_index) {
            const redis::reply records = storage_[reply_index];
            if (records.is_error()) {
                ++damaged_;
                continue;
            }
            for (std::size_t j = 0; j < records.size(); ++j) {
                const auto record = decode_roster_record(records[j].text(), beginnings);
                const auto entry = record ? decode_roster_entry(record->entry) : std::nullopt;
                if (!entry) {
                    ++malformed_;
                    continue;
                }
                if (!entry->follows.empty() && !first_match(event.audience, *entry, run.where)) {
                    ++passed_over_;
                    continue;
                }
                const std::string_view token = whole_token(*record);
                if (names_devices && event.named_devices.contains(named_device(from_->which.on, token))) {
                    ++passed_over_;
                    continue;
                }
                ++targeted_by_roster_[roster];
                if (!category.empty() && entry->mutes(category)) {
                    ++outcomes_[static_cast<std::size_t>(outcome::muted)];
                    continue;
                }
                add(token, record->entry, roster, content);
                push& item = pushes_.back();
                item.registered_at = entry->registered_at;
                item.sandbox = entry->sandbox;
                item.is_fid = entry->is_fid;
                item.keys = entry->keys;
                item.variant = content == nullptr || entry->locale.empty()
                                   ? std::uint16_t{0}
                                   : content->variant_for(entry->locale);
            }
        }
    }
    begin();
}

void page::fill_listed(const message* content) {
    const std::vector<listed_device>& devices = from_->work.devices;
    pushes_.reserve(devices.size());
    entries_.reserve(devices.size());
    const std::string& category = from_->event->content.category;
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> rosters;
    for (const listed_device& which : devices) {
        const auto entry = decode_roster_entry(which.entry);
        if (!entry) {
            ++malformed_;
            continue;
        }
        // A page holds named devices, or parked ones that have been counted: never both.
        first_time_ = !which.counted;
        const auto [at, inserted] =
            rosters.try_emplace(which.commune, static_cast<std::uint32_t>(communes_.size()));
        if (inserted) {
            communes_.push_back(which.commune);
            targeted_by_roster_.push_back(0);
        }
        targeted_by_roster_[at->second] += first_time_ ? 1 : 0;
        if (first_time_ && entry->mutes(category)) {
            ++outcomes_[static_cast<std::size_t>(outcome::muted)];
            continue;
        }
        add(which.token, which.entry, at->second, content);
        push& item = pushes_.back();
        item.registered_at = entry->registered_at;
        item.sandbox = entry->sandbox;
        item.is_fid = entry->is_fid;
        item.keys = entry->keys;
        item.attempts = which.attempts;
        item.maybe_sent = which.maybe_sent;
        item.tried = which.counted;
        item.variant = content == nullptr || entry->locale.empty() ? std::uint16_t{0}
                                                                   : content->variant_for(entry->locale);
    }
    begin();
}

void page::begin() {
    accepted_by_roster_.assign(communes_.size(), 0);
    remaining_ = pushes_.size();
    const publish_event& content = from_->event->content;
    // What is only tried out is on no screen.
    if (content.remembers_reached && content.mode == delivery_mode::actual) {
        reached_.assign(pushes_.size(), false);
    }
}

void page::replace_content(const message& content) noexcept {
    for (push& item : pushes_) {
        if (!item.in_flight) {
            replace_content(item, content);
        }
    }
}

void page::replace_content(push& item, const message& content) noexcept {
    const auto entry = decode_roster_entry(entries_[static_cast<std::size_t>(&item - pushes_.data())]);
    item.content = &content;
    item.variant = entry && !entry->locale.empty() ? content.variant_for(entry->locale) : std::uint16_t{0};
}

void page::finish(push& item, outcome how) noexcept {
    if (!reached_.empty() && (how == outcome::accepted || item.maybe_sent)) {
        reached_[static_cast<std::size_t>(&item - pushes_.data())] = true;
    }
    item.ended = true;
    ++outcomes_[static_cast<std::size_t>(how)];
    --remaining_;
}

void page::accept(push& item, std::chrono::milliseconds latency) noexcept {
    ++accepted_by_roster_[item.territory];
    ++latencies_[static_cast<std::uint32_t>(
        log_linear::index_of(static_cast<std::uint64_t>(std::max<std::int64_t>(0, latency.count()))))];
    finish(item, outcome::accepted);
}

void page::die(push& item, std::string_view reason) {
    const auto index = static_cast<std::size_t>(&item - pushes_.data());
    dead_.emplace_back(encode_dead(from_->which, item.token, entries_[index]), reason);
    finish(item, outcome::dead);
}

listed_device page::listed(const push& item) const {
    listed_device which;
    which.commune = communes_[item.territory];
    which.token = item.token;
    which.entry = entries_[static_cast<std::size_t>(&item - pushes_.data())];
    which.attempts = item.attempts;
    which.maybe_sent = item.maybe_sent;
    which.counted = true;
    return which;
}

void page::park(push& item, wall_time due) {
    item.ended = true;
    parked_.emplace_back(due.time_since_epoch().count(), encode_listed(listed(item)));
    --remaining_;
}

void page::finish_all(outcome how) noexcept {
    for (push& item : pushes_) {
        finish(item, how);
    }
}

void page::count_reason(std::string_view reason) {
    const auto find = [this](std::string_view word) {
        return std::ranges::find(reasons_, word, [](const auto& one) { return std::string_view(one.first); });
    };
    auto found = find(reason);
    if (found == reasons_.end() && reasons_.size() >= most_reasons) {
        reason = "Other";
        found = find(reason);
    }
    if (found == reasons_.end()) {
        found = reasons_.emplace(found, reason, 0);
    }
    ++found->second;
}

void page::end_account(const bound_times& totals) noexcept {
    for (std::size_t i = 0; i < lane_bound_count; ++i) {
        bound_[i] = totals[i] - bound_[i];
    }
}

void page::tell_reached(page_settlement& into) const {
    std::vector<hashed_device> reached;
    std::vector<hashed_device> others;
    for (std::size_t i = 0; i < pushes_.size(); ++i) {
        auto& list = reached_[i] ? reached : others;
        list.push_back({communes_[pushes_[i].territory], hash_token(pushes_[i].token)});
    }
    into.reached = encode_hashed(reached);
    into.others = encode_hashed(others);
}

page_settlement page::settlement() {
    page_settlement out;
    out.event = from_->event->id;
    out.which = from_->which;
    out.shard_entry = from_->entry;
    out.page = number();
    out.first_page = from_->work.first_page;
    out.shard_pages = from_->pages;
    out.devices = pushes_.size();
    out.accepted = count(outcome::accepted);
    count_into(out);
    if (!reached_.empty()) {
        tell_reached(out);
    }
    out.parked = std::move(parked_);
    out.dead = std::move(dead_);
    parked_.clear();
    dead_.clear();
    return out;
}

page_settlement page::settle_early(wall_time due) {
    for (const push& item : pushes_) {
        if (!item.ended) {
            listed_device which = listed(item);
            which.maybe_sent = true;  // It is, or will be before anybody looks here.
            late_ += encode_listed(which);
            ++named_;
        }
    }
    page_settlement out = settlement();
    out.parked.emplace_back(late_score(due), late_);
    // From here on the page counts what becomes of these alone.
    first_time_ = false;
    std::ranges::fill(outcomes_, 0);
    std::ranges::fill(accepted_by_roster_, 0);
    std::ranges::fill(targeted_by_roster_, 0);
    latencies_.clear();
    reasons_.clear();
    damaged_ = 0;
    malformed_ = 0;
    retries_ = 0;
    possible_duplicates_ = 0;
    bound_ = {};
    return out;
}

page_settlement page::amendment() {
    page_settlement out;
    out.event = from_->event->id;
    out.which = from_->which;
    out.page = number();
    out.late = late_;
    out.accepted = count(outcome::accepted);
    count_into(out);
    out.parked = std::move(parked_);
    out.dead = std::move(dead_);
    return out;
}

void page::count_into(page_settlement& out) const {
    const auto count = [&out](std::string field, std::uint64_t amount) {
        if (amount != 0) {
            out.increments.emplace_back(std::move(field), static_cast<std::int64_t>(amount));
        }
    };
    if (first_time_) {
        const std::uint64_t targeted = pushes_.size() + outcomes_[static_cast<std::size_t>(outcome::muted)];
        count(std::string(names::targeted), targeted);
    }
    for (std::size_t i = 0; i < outcome_count; ++i) {
        count(names::outcome_field(from_->which, static_cast<outcome>(i)), outcomes_[i]);
    }
    count(std::string(names::damaged_rosters), damaged_ + malformed_);
    count(std::string(names::retries), retries_);
    count(std::string(names::possible_duplicates), possible_duplicates_);
    const std::string platform_name(to_string(from_->which.on));
    for (const auto& [reason, times] : reasons_) {
        count(
            std::string(names::reason_prefix) + platform_name + ":" +
                std::string(event().reasons.admit(reason)),
            times);
    }
    for (std::size_t i = 0; i < lane_bound_count; ++i) {
        count(
            names::bound_field(from_->which, static_cast<lane_bound>(i)),
            static_cast<std::uint64_t>(bound_[i] / std::chrono::microseconds(1)));
    }
    for (const auto& [bucket, times] : latencies_) {
        count(std::string(names::latency_prefix) + std::to_string(bucket), times);
    }
    for (std::size_t i = 0; i < communes_.size(); ++i) {
        if (communes_[i] == 0) {
            continue;
        }
        const std::string insee = to_string(commune_id(communes_[i]));
        count(std::string(names::commune_prefix) + insee, accepted_by_roster_[i]);
        // The difference, not what was targeted: of nearly all pages it is nothing, and then costs nothing.
        const std::int64_t left = targeted_by_roster_[i] - static_cast<std::int64_t>(accepted_by_roster_[i]);
        if (left != 0) {
            out.increments.emplace_back(std::string(names::unaccepted_prefix) + insee, left);
        }
    }
}

}  // namespace tocsin
