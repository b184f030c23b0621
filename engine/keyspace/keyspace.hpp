#pragma once

#include "engine/event/territory.hpp"
#include "engine/platform/platform.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tocsin {

/// Every key that the engine uses, in one place. docs/reference/redis-keys.md says what they hold.
///
/// Braces mark what a cluster hashes: all keys of one event share a slot, and so do all buckets
/// of one roster, because one script touches them together.
class keyspace {
public:
    explicit keyspace(std::string prefix) : prefix_(std::move(prefix)) {}

    // The seven streams of the contract, and the consumer group on the three that come in.
    [[nodiscard]] std::string events() const { return prefix_ + ":events"; }
    [[nodiscard]] std::string registrations() const { return prefix_ + ":registrations"; }
    [[nodiscard]] std::string receipts() const { return prefix_ + ":receipts"; }
    [[nodiscard]] std::string results() const { return prefix_ + ":results"; }
    [[nodiscard]] std::string reach() const { return prefix_ + ":reach"; }
    [[nodiscard]] std::string feedback() const { return prefix_ + ":feedback"; }
    [[nodiscard]] std::string dead_letters() const { return prefix_ + ":dead-letters"; }
    static constexpr std::string_view group = "tocsin";

    /// Sorted set: event id → when (ms) its planning began, until it is on one of the lists below. It is what
    /// leads to an event's keys if its entry is lost with Redis' memory meanwhile.
    [[nodiscard]] std::string begun() const { return prefix_ + ":begun"; }
    /// Sorted set: event id → priority and time; the unfinished events, most urgent first.
    [[nodiscard]] std::string running() const { return prefix_ + ":running"; }
    /// Sorted set: event id → the millisecond at which it is to be planned.
    [[nodiscard]] std::string scheduled() const { return prefix_ + ":scheduled"; }
    /// Sorted set: the instance of each engine → the millisecond at which it last said that it runs.
    [[nodiscard]] std::string engines() const { return prefix_ + ":engines"; }
    /// String: which process lives under this instance's name; expires by itself.
    [[nodiscard]] std::string instance(std::string_view name) const {
        return prefix_ + ":instance:" + std::string(name);
    }
    /// Anything, for a moment: what `check-config --online` tries commands on.
    [[nodiscard]] std::string probe() const { return prefix_ + ":probe"; }
    /// String: the instance that reads registrations at this moment, with a lease.
    [[nodiscard]] std::string registrar() const { return prefix_ + ":registrar"; }

    /// Hash: "at" → when (ms) the last canary had arrived, "ms" → how long it had taken.
    [[nodiscard]] std::string canary() const { return prefix_ + ":canary"; }

    // What all engines are told while they run. One slot.
    /// Hash: "pause:<app or *>/<platform or *>", "rate:<app>/<platform>", "quota:<name>" → since, rate,
    /// until.
    [[nodiscard]] std::string control() const { return prefix_ + ":{control}:state"; }
    /// Stream: an entry for each change of the others, to wake whoever waits for one.
    [[nodiscard]] std::string control_changes() const { return prefix_ + ":{control}:changes"; }
    /// Set: the events that are being cancelled.
    [[nodiscard]] std::string cancelling() const { return prefix_ + ":{control}:cancelling"; }
    /// Hash: how far one target's share of its provider's quota is given out.
    [[nodiscard]] std::string limit(std::string_view target) const {
        return prefix_ + ":limit:" + std::string(target);
    }
    /// Sorted set, in the slot of `results`: events whose result stands there → when it was put there.
    [[nodiscard]] std::string published() const { return prefix_ + ":published:{" + results() + "}"; }
    /// Sorted set: event id → the millisecond at which its window for receipts ends.
    [[nodiscard]] std::string receipts_open() const { return prefix_ + ":receipts-open"; }
    /// Sorted set, in the slot of `reach`: "<event>/<its entry>" of those whose document stands there → when
    /// it was put there.
    [[nodiscard]] std::string reach_published() const { return prefix_ + ":published:{" + reach() + "}"; }

    // One event. All of them share its slot.
    [[nodiscard]] std::string ledger(std::string_view event) const { return of_event(event, "ledger"); }
    /// String: it was cancelled before any engine had taken it up, and is not to be sent; expires by itself.
    [[nodiscard]] std::string called_off(std::string_view event) const {
        return of_event(event, "called-off");
    }
    /// String, a byte a page: how often it was read to be sent.
    [[nodiscard]] std::string opened(std::string_view event) const { return of_event(event, "opened"); }
    /// Bitmap, a bit a page: what is settled.
    [[nodiscard]] std::string settled(std::string_view event) const { return of_event(event, "settled"); }
    /// Hash: dead devices that are accounted for and not yet removed from the store.
    [[nodiscard]] std::string dead(std::string_view event) const { return of_event(event, "dead"); }
    /// Set: the first 64 bits of the SHA-256 of the batches of receipts that were counted. Many small ones,
    /// by the next 8: small sets of integers take 8 bytes a member, and none is so large that its end holds
    /// Redis up.
    [[nodiscard]] std::string batches(std::string_view event, std::size_t part) const {
        return of_event(event, "batches:") + std::to_string(part);
    }
    static constexpr std::size_t batch_parts = 256;
    /// Stream: the shards of one app and platform.
    [[nodiscard]] std::string shards(std::string_view event, std::string_view target) const {
        return of_event(event, "shards:") + std::string(target);
    }
    /// Sorted set: pushes that wait for a retry → the millisecond at which they are due.
    [[nodiscard]] std::string parked(std::string_view event, std::string_view target) const {
        return of_event(event, "parked:") + std::string(target);
    }
    /// Hash: page → the devices of it that may have been sent to, for an event that ends this one.
    [[nodiscard]] std::string reached(std::string_view event, std::string_view target) const {
        return of_event(event, "reached:") + std::string(target);
    }
    /// Sorted set: shards that have a moment of their own → the millisecond at which it comes.
    [[nodiscard]] std::string waiting(std::string_view event, std::string_view target) const {
        return of_event(event, "waiting:") + std::string(target);
    }

    /// Hash: "<platform>:<territory>" → "<generation>:<buckets>", and "index" → its buckets.
    [[nodiscard]] std::string rosters(std::string_view app) const {
        return prefix_ + ":rosters:" + std::string(app);
    }
    /// Hash: a part of the token's hash → the token and its entry (roster_codec.hpp).
    [[nodiscard]] std::string roster_bucket(
        std::string_view app, platform where, std::string_view territory, std::uint32_t generation,
        std::uint32_t bucket) const;
    /// Hash: 96-bit token hash → what the device follows.
    [[nodiscard]] std::string index_bucket(std::string_view app, platform where, std::uint32_t bucket) const;

    // Devices that providers call gone, of one app on one platform. All of it shares a slot.
    /// Hash: target → why its removals are held, for whoever lists them. In a slot of its own.
    [[nodiscard]] std::string removals_held() const { return prefix_ + ":removals-held"; }
    /// Hash: how many devices providers have accepted and called dead lately, and what is held.
    [[nodiscard]] std::string answers(std::string_view app, platform where) const {
        return of_removals(app, where, "answers");
    }
    /// Hash: 96-bit token hash → a device that waits for an operator's word.
    [[nodiscard]] std::string held_devices(std::string_view app, platform where) const {
        return of_removals(app, where, "held");
    }
    /// Stream: devices that were removed on a provider's word, for a while.
    [[nodiscard]] std::string removed_devices(std::string_view app, platform where) const {
        return of_removals(app, where, "removed");
    }
    /// Sorted set: 96-bit token hash → when (ms) the app itself has taken the device out, as long as the
    /// stream above is there.
    [[nodiscard]] std::string unregistered(std::string_view app, platform where) const {
        return of_removals(app, where, "unregistered");
    }

    /// A key in the slot of `key`, which has no braces of its own, so that one script can touch both.
    [[nodiscard]] std::string beside(
        std::string_view key, std::string_view what, std::string_view which) const;
    /// String: who changes a device at this moment, on a cluster; expires by itself. `hash` is the
    /// device's in that bucket of the index.
    [[nodiscard]] std::string change_lock(std::string_view index_bucket, std::string_view hash) const {
        return beside(index_bucket, "changing", hash);
    }
    /// String: this entry of a stream has its letter; expires by itself.
    [[nodiscard]] std::string posted(std::string_view stream, std::string_view entry) const {
        return beside(dead_letters(), "posted", std::string(stream) + ':' + std::string(entry));
    }
    /// String: this letter's entry was put back on `stream`; expires by itself.
    [[nodiscard]] std::string put_back(std::string_view stream, std::string_view letter) const {
        return beside(stream, "put-back", letter);
    }

    [[nodiscard]] const std::string& prefix() const noexcept { return prefix_; }

private:
    [[nodiscard]] std::string of_event(std::string_view event, std::string_view what) const;
    [[nodiscard]] std::string of_removals(std::string_view app, platform where, std::string_view what) const;

    std::string prefix_;
};

/// A stream that engines read: what backends write to it, and under which name it is counted and shown.
struct incoming_stream {
    std::string_view name;
    std::string_view field;  ///< Of an entry: holds the document.
    std::string (keyspace::*key)() const;

    [[nodiscard]] std::string key_in(const keyspace& keys) const { return (keys.*key)(); }
};

inline constexpr incoming_stream event_stream{"events", "event", &keyspace::events};
inline constexpr incoming_stream registration_stream{
    "registrations", "registration", &keyspace::registrations};
inline constexpr incoming_stream receipt_stream{"receipts", "receipt", &keyspace::receipts};

/// All of them. Metrics, status, the page and `dead-letters retry` go by this list.
inline constexpr std::array incoming_streams{event_stream, registration_stream, receipt_stream};

}  // namespace tocsin
