#include "engine/delivery/restorer.hpp"

#include "engine/audience/roster_codec.hpp"
#include "engine/core/digest.hpp"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

namespace asio = boost::asio;

/// The change that puts a device back where it was; nothing if its trace is none of ours.
std::optional<device_change> to_change(const target& which, const removal_trace& trace) {
    if (trace.follow.empty()) {
        return std::nullopt;
    }
    auto known = decode_device(trace.token, trace.entry, trace.follow.front());
    if (!known) {
        return std::nullopt;
    }
    device_change out;
    out.app = which.app;
    out.where = which.on;
    out.which = std::move(*known);
    out.which.follow = trace.follow;
    out.only_if_absent = true;
    return out;
}

/// How many of `changes` are of devices that nobody has registered by now.
asio::awaitable<result<std::uint64_t>> count_absent(
    device_store& store, target which, std::vector<device_change> changes) {
    std::vector<std::string> tokens;
    for (device_change& one : changes) {
        tokens.push_back(std::move(one.which.token));
    }
    const auto known = co_await store.registered(which.app, which.on, std::move(tokens));
    if (known.has_error()) {
        co_return known.error();
    }
    std::uint64_t out = 0;
    for (const bool there : *known) {
        out += there ? 0 : 1;
    }
    co_return out;
}

asio::awaitable<result<std::uint64_t>> put_back(device_store& store, std::vector<device_change> changes) {
    const auto applied = co_await store.apply(std::move(changes));
    if (applied.has_error()) {
        co_return applied.error();
    }
    std::uint64_t out = 0;
    for (const change_outcome one : *applied) {
        out += one == change_outcome::added ? 1 : 0;
    }
    co_return out;
}

}  // namespace

asio::awaitable<result<restore_tally>> restore_removed(
    device_store& store, redis::client& redis, target which, wall_time since, bool only_count) {
    removal_traces traces(redis, store.keys());
    const auto unregistered = co_await traces.unregistered(which.app, which.on, since);
    if (unregistered.has_error()) {
        co_return unregistered.error();
    }
    restore_tally out;
    std::set<std::string> seen;  // Their hashes: the newest removal of each counts.
    std::string from;
    do {
        auto page = co_await traces.read(which.app, which.on, since, from);
        if (page.has_error()) {
            co_return page.error();
        }
        from = page->next;
        std::vector<device_change> changes;
        for (const removal_traces::removal& one : page->removals) {
            std::string hash(hash_token(one.which.token).view());
            const auto gone = unregistered->find(hash);
            if (!seen.insert(std::move(hash)).second) {
                continue;
            }
            if (gone != unregistered->end() && gone->second >= one.at) {
                ++out.unregistered;
            } else if (auto change = to_change(which, one.which)) {
                changes.push_back(std::move(*change));
            }
        }
        const std::uint64_t count = changes.size();
        result<std::uint64_t> back;
        if (only_count) {
            back = co_await count_absent(store, which, std::move(changes));
        } else {
            back = co_await put_back(store, std::move(changes));
        }
        if (back.has_error()) {
            co_return back.error();
        }
        out.restored += *back;
        out.present += count - *back;
    } while (!from.empty());
    co_return out;
}

}  // namespace tocsin
