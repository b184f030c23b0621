#include "engine/delivery/restorer.hpp"

#include "engine/audience/removal_traces.hpp"
#include "engine/audience/roster_codec.hpp"
#include "engine/core/digest.hpp"

#include <algorithm>
#include <functional>
#include <map>
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

/// Brings the devices of one target back, page by page.
class restoring {
public:
    restoring(device_store& store, redis::client& redis, target which, wall_time since, bool only_count)
        : store_(store),
          traces_(redis, store.keys()),
          which_(std::move(which)),
          since_(since),
          left_read_(since - std::chrono::minutes(1)),
          only_count_(only_count) {}

    asio::awaitable<result<restore_tally>> run() {
        std::string from;
        do {
            auto page = co_await traces_.read(which_.app, which_.on, since_, from);
            if (page.has_error()) {
                co_return page.error();
            }
            from = std::move(page->next);
            // Anew for each page: apps go on taking devices out meanwhile.
            const auto known = co_await read_left();
            if (known.has_error()) {
                co_return known.error();
            }
            const auto done = co_await put_back(std::move(page->removals));
            if (done.has_error()) {
                co_return done.error();
            }
        } while (!from.empty());
        const auto undone = co_await take_out_again();
        if (undone.has_error()) {
            co_return undone.error();
        }
        co_return tally_;
    }

private:
    struct comeback {
        wall_time begun{};      ///< When its removal began.
        std::size_t entry = 0;  ///< A hash of its roster entry.
    };

    asio::awaitable<result<>> read_left() {
        const auto more = co_await traces_.unregistered(which_.app, which_.on, left_read_);
        if (more.has_error()) {
            co_return more.error();
        }
        for (const auto& [hash, at] : *more) {
            left_[hash] = at;
            left_read_ = std::max(left_read_, at);
        }
        co_return result<>();
    }

    [[nodiscard]] bool left_since(const std::string& hash, wall_time begun) const {
        const auto at = left_.find(hash);
        return at != left_.end() && at->second >= begun;
    }

    asio::awaitable<result<>> put_back(std::vector<removal_traces::removal> removals) {
        std::vector<device_change> changes;
        std::vector<std::pair<std::string, comeback>> who;
        for (const removal_traces::removal& one : removals) {
            std::string hash(hash_token(one.which.token).view());
            if (!seen_.insert(hash).second) {
                continue;
            }
            if (left_since(hash, one.begun)) {
                ++tally_.unregistered;
            } else if (auto change = to_change(which_, one.which)) {
                changes.push_back(std::move(*change));
                who.emplace_back(
                    std::move(hash), comeback{one.begun, std::hash<std::string>()(one.which.entry)});
            }
        }
        const std::uint64_t count = changes.size();
        if (only_count_) {
            const auto absent = co_await count_absent(store_, which_, std::move(changes));
            if (absent.has_error()) {
                co_return absent.error();
            }
            tally_.restored += *absent;
            tally_.present += count - *absent;
            co_return result<>();
        }
        const auto applied = co_await store_.apply(std::move(changes));
        if (applied.has_error()) {
            co_return applied.error();
        }
        for (std::size_t i = 0; i < who.size(); ++i) {
            if ((*applied)[i] == change_outcome::added) {
                ++tally_.restored;
                back_.insert(std::move(who[i]));
            } else {
                ++tally_.present;
            }
        }
        co_return result<>();
    }

    /// An app takes a device out and writes that down afterwards: who was brought back in between goes again.
    asio::awaitable<result<>> take_out_again() {
        if (back_.empty()) {
            co_return result<>();
        }
        const auto known = co_await read_left();
        if (known.has_error()) {
            co_return known.error();
        }
        std::vector<token_hash> suspects;
        std::vector<std::size_t> entries;
        for (const auto& [hash, one] : back_) {
            if (left_since(hash, one.begun)) {
                std::ranges::copy(hash, suspects.emplace_back().bytes.begin());
                entries.push_back(one.entry);
            }
        }
        const auto found = co_await store_.find_hashed(which_.app, which_.on, std::move(suspects));
        if (found.has_error()) {
            co_return found.error();
        }
        std::vector<device_change> changes;
        for (std::size_t i = 0; i < found->size(); ++i) {
            const auto& one = (*found)[i];
            if (!one) {
                ++tally_.unregistered;  // Taken out after it had come back.
                --tally_.restored;
            } else if (std::hash<std::string>()(one->entry) == entries[i]) {
                device_change& change = changes.emplace_back();
                change.what = device_change::action::remove;
                change.app = which_.app;
                change.where = which_.on;
                change.which.token = one->which.token;
                change.only_if_entry = one->entry;
            }
        }
        const auto applied = co_await store_.apply(std::move(changes));
        if (applied.has_error()) {
            co_return applied.error();
        }
        for (const change_outcome one : *applied) {
            const std::uint64_t gone = one == change_outcome::kept ? 0 : 1;  // Kept: has registered again.
            tally_.unregistered += gone;
            tally_.restored -= gone;
        }
        co_return result<>();
    }

    device_store& store_;
    removal_traces traces_;
    target which_;
    wall_time since_;
    wall_time left_read_;
    bool only_count_;
    restore_tally tally_;
    std::set<std::string> seen_;             ///< Their hashes: the newest removal of each counts.
    std::map<std::string, wall_time> left_;  ///< Hashes of those that their app has taken out, and when.
    std::map<std::string, comeback> back_;
};

}  // namespace

asio::awaitable<result<restore_tally>> restore_removed(
    device_store& store, redis::client& redis, target which, wall_time since, bool only_count) {
    restoring work(store, redis, std::move(which), since, only_count);
    co_return co_await work.run();
}

}  // namespace tocsin
