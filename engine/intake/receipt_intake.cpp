#include "engine/intake/receipt_intake.hpp"

#include "engine/event/refusal_codes.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/error.hpp"
#include "engine/redis/streams.hpp"

#include <algorithm>
#include <chrono>
#include <map>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using redis::redis_errc;

/// Events that are reported on at the same time; the audience of a whole country takes some 200 KB.
constexpr std::size_t most_remembered = 32;
/// Redis does nothing else while it counts: some milliseconds at a time.
constexpr std::size_t most_counts_at_once = 5'000;

refusal unknown_event(const receipt& what) {
    return {
        "unknown_event",
        "event: no event \"" + what.event + "\" is known; what ended is kept for engine.event_retention."};
}

refusal window_over(const receipt& what) {
    return {
        "receipts_window_over",
        "the window for receipts of event \"" + what.event +
            "\" was over when this one came (engine.receipts_window after its result)."};
}

refusal refusal_for(const receipt& what, receipt_fate fate) {
    if (fate == receipt_fate::late) {
        return window_over(what);
    }
    if (fate == receipt_fate::overflow) {
        return {
            "too_many_batches", "event \"" + what.event + "\" has had " +
                                    std::to_string(receipt_book::most_batches) +
                                    " batches of receipts, and no more are remembered: sum them up."};
    }
    return {
        "damaged_ledger",
        "where Redis should hold the batches of event \"" + what.event + "\" stands something else."};
}

/// When an entry was handed in: its own time, which a client may have made up, or now.
wall_time handed_in_at(const redis::stream_entry& entry, wall_time now) noexcept {
    const auto id = redis::parse_entry_id(entry.id);
    if (!id || id->ms >= static_cast<std::uint64_t>(now.time_since_epoch().count())) {
        return now;
    }
    return wall_time(std::chrono::milliseconds(id->ms));
}

}  // namespace

parsed<> check_receipt(const receipt& what, const receipt_terms* event, const event_preparer& known) {
    const bool sent_by_app = event != nullptr && event->apps.contains(what.app);
    if (!sent_by_app && known.app(what.app) == nullptr) {
        return refusal{"unknown_app", "app: no app \"" + what.app + "\" is configured."};
    }
    if (event == nullptr) {
        return unknown_event(what);
    }
    if (!event->asked) {
        return refusal{
            "receipts_not_asked", "event: \"" + what.event + "\" was published without \"receipts\": true."};
    }
    if (!event->begun) {
        return refusal{
            "event_not_sent", "event: \"" + what.event + "\" waits for its send_at: nobody has it yet."};
    }
    if (!sent_by_app) {
        return refusal{
            "app_not_targeted", "app: event \"" + what.event + "\" was not for app \"" + what.app + "\"."};
    }
    for (const auto& [commune, devices] : what.counts) {
        if (event->targets(commune)) {
            continue;
        }
        if (known.places().find(commune) == nullptr) {
            return refuse(
                refusal_code::unknown_commune,
                "counts: no commune has the INSEE code " + to_string(commune) + ".");
        }
        return refusal{
            "commune_not_targeted",
            "counts: event \"" + what.event + "\" was not for commune " + to_string(commune) + "."};
    }
    return {};
}

receipt_intake::receipt_intake(
    redis::client& redis, keyspace keys, dead_letters& letters, const event_preparer& known,
    const time_source& time, logger& log, metrics_shard& metrics)
    : book_(redis, std::move(keys)),
      letters_(letters),
      known_(known),
      time_(time),
      log_(log),
      counted_(metrics.counter(metric::receipts_total, {"counted"})),
      repeated_(metrics.counter(metric::receipts_total, {"repeated"})),
      refused_(metrics.counter(metric::receipts_total, {"refused"})) {
    for (std::size_t i = 0; i < receipt_kind_count; ++i) {
        devices_[i] = &metrics.counter(metric::receipt_devices_total, {receipt_kind_names[i]});
    }
}

asio::awaitable<result<>> receipt_intake::handle(std::vector<redis::stream_entry>& entries) {
    std::vector<item> good;
    std::vector<std::string> done;
    for (const redis::stream_entry& entry : entries) {
        const auto read_one = co_await read(entry, good, done);
        if (read_one.has_error()) {
            co_return read_one;
        }
    }
    std::map<std::string, std::vector<item>> by_event;
    for (item& one : good) {
        by_event[one.what.event].push_back(std::move(one));
    }
    for (auto& [event, items] : by_event) {
        const auto handled = co_await handle_event(std::move(items), done);
        if (handled.has_error()) {
            co_return handled;
        }
    }
    co_return co_await acknowledge(std::move(done));
}

asio::awaitable<result<>> receipt_intake::read(
    const redis::stream_entry& entry, std::vector<item>& good, std::vector<std::string>& done) {
    const auto document = entry.field("receipt");
    if (entry.deleted) {
        log_.error("receipt.lost_to_trimming", {{"entry", entry.id}});
        done.push_back(entry.id);
        co_return result<>();
    }
    if (!document) {
        refusal why = tocsin::refuse(refusal_code::missing_entry_field, "the entry has no field \"receipt\"");
        co_return co_await refuse(entry, std::move(why));
    }
    auto what = parse_receipt(*document);
    if (what.has_error()) {
        co_return co_await refuse(entry, std::move(what.error()));
    }
    item one;
    one.entry = &entry;
    one.what = std::move(*what);
    good.push_back(std::move(one));
    co_return result<>();
}

asio::awaitable<result<>> receipt_intake::handle_event(
    std::vector<item> of_one, std::vector<std::string>& done) {
    const auto event = co_await terms_of(of_one.front().what.event);
    if (event.has_error()) {
        co_return event.error();
    }
    std::vector<item> fitting;
    std::size_t counts = 0;
    for (item& one : of_one) {
        auto fits = check_receipt(one.what, event->get(), known_);
        if (fits.has_error()) {
            const auto posted = co_await refuse(*one.entry, std::move(fits.error()));
            if (posted.has_error()) {
                co_return posted;
            }
            continue;
        }
        if (counts != 0 && counts + one.what.counts.size() > most_counts_at_once) {
            const auto counted = co_await count(**event, std::move(fitting), done);
            if (counted.has_error()) {
                co_return counted;
            }
            fitting.clear();
            counts = 0;
        }
        counts += one.what.counts.size();
        fitting.push_back(std::move(one));
    }
    if (fitting.empty()) {
        co_return result<>();
    }
    co_return co_await count(**event, std::move(fitting), done);
}

asio::awaitable<result<>> receipt_intake::count(
    const receipt_terms& event, std::vector<item> fitting, std::vector<std::string>& done) {
    const wall_time now = time_.wall_now();
    std::vector<receipt_book::handed_in> receipts;
    receipts.reserve(fitting.size());
    for (const item& one : fitting) {
        receipts.push_back({&one.what, handed_in_at(*one.entry, now)});
    }
    const std::string id = fitting.front().what.event;
    const auto fates = co_await book_.count(id, event.entry, std::move(receipts));
    if (fates.has_error()) {
        co_return fates.error();
    }
    for (std::size_t i = 0; i < fitting.size(); ++i) {
        const item& one = fitting[i];
        switch ((*fates)[i]) {
            case receipt_fate::counted: {
                counted_.add(1);
                std::uint64_t devices = 0;
                for (const auto& [commune, number] : one.what.counts) {
                    devices += number;
                }
                devices_[static_cast<std::size_t>(one.what.kind)]->add(devices);
                done.push_back(one.entry->id);
                break;
            }
            case receipt_fate::repeated:
                repeated_.add(1);
                done.push_back(one.entry->id);
                break;
            case receipt_fate::other_event:
                // It was forgotten since its terms were read, or another has its id: the entries are read
                // again.
                forget(id);
                co_return redis_errc::unexpected_reply;
            case receipt_fate::late:
            case receipt_fate::overflow:
            case receipt_fate::damaged: {
                refusal why = refusal_for(one.what, (*fates)[i]);
                const auto posted = co_await refuse(*one.entry, std::move(why));
                if (posted.has_error()) {
                    co_return posted;
                }
            }
        }
    }
    co_return result<>();
}

asio::awaitable<result<>> receipt_intake::refuse(const redis::stream_entry& entry, refusal why) {
    log_.warning("receipt.refused", {{"entry", entry.id}, {"reason", why.code}, {"message", why.message}});
    const auto document = entry.field("receipt");
    std::string payload = document ? std::string(*document) : fields_as_json(entry);
    const auto posted =
        co_await letters_.post(book_.keys().receipts(), entry.id, std::move(why), std::move(payload));
    if (posted.has_value()) {
        refused_.add(1);
    }
    co_return posted;
}

asio::awaitable<result<>> receipt_intake::acknowledge(std::vector<std::string> entries) {
    if (entries.empty()) {
        co_return result<>();
    }
    redis::request ask;
    ask.begin(3 + entries.size()).append("XACK").append(book_.keys().receipts()).append(keyspace::group);
    for (const std::string& entry : entries) {
        ask.append(entry);
    }
    co_return co_await redis::carry_out(book_.connection(), std::move(ask));
}

asio::awaitable<result<receipt_intake::terms>> receipt_intake::terms_of(std::string event) {
    const auto found = std::ranges::find(remembered_, event, &std::pair<std::string, terms>::first);
    if (found != remembered_.end()) {
        remembered_.splice(remembered_.begin(), remembered_, found);
        co_return found->second;
    }
    auto fresh = co_await book_.terms_of(event);
    // What waits for its send_at is not planned yet, and what nobody knows may come.
    if (fresh.has_value() && *fresh != nullptr && (*fresh)->begun) {
        remembered_.emplace_front(std::move(event), *fresh);
        if (remembered_.size() > most_remembered) {
            remembered_.pop_back();
        }
    }
    co_return fresh;
}

void receipt_intake::forget(std::string_view event) {
    std::erase_if(remembered_, [&](const auto& one) { return one.first == event; });
}

}  // namespace tocsin
