#include "engine/delivery/shard_room.hpp"

#include <algorithm>

namespace tocsin {
namespace {

// Shards that a thread has more than another before a target's are sent over a connection that the other must
// open first.
constexpr std::uint32_t worth_a_connection = 8;

}  // namespace

std::optional<std::size_t> shard_room::hand_out(
    const shard_ticket& what, priority urgency, std::uint32_t pages) {
    const kind of(what.which, urgency);
    const held_shard mine{thread_for(of), pages, urgency};
    if (!held_[{what.event, what.which}].emplace(what.entry, mine).second) {
        return std::nullopt;
    }
    auto& threads = outstanding_[of];
    threads.resize(shards_of_thread_.size());
    threads[mine.thread] += mine.pages;
    ++shards_of_thread_[mine.thread];
    return mine.thread;
}

bool shard_room::left(const shard_ticket& what) {
    const auto of = held_.find({what.event, what.which});
    if (of == held_.end()) {
        return false;
    }
    const auto one = of->second.find(what.entry);
    if (one == of->second.end()) {
        return false;
    }
    const held_shard& gone = one->second;
    outstanding_[{what.which, gone.urgency}][gone.thread] -= gone.pages;
    --shards_of_thread_[gone.thread];
    of->second.erase(one);
    if (of->second.empty()) {
        held_.erase(of);
    }
    return true;
}

std::size_t shard_room::held(const std::string& event, const target& which) const {
    const auto found = held_.find({event, which});
    return found == held_.end() ? 0 : found->second.size();
}

std::uint32_t shard_room::pages_held(const std::string& event, const target& which) const {
    const auto found = held_.find({event, which});
    std::uint32_t pages = 0;
    if (found != held_.end()) {
        for (const auto& [entry, shard] : found->second) {
            pages += shard.pages;
        }
    }
    return pages;
}

// Pages that threads lack of what each may have at hand. A thread that has too many makes up for no other:
// pages do not wander.
std::uint32_t shard_room::pages_lacking(const kind& of, std::size_t pages_of_a_thread) const {
    const auto room = static_cast<std::uint32_t>(pages_of_a_thread);
    const auto found = outstanding_.find(of);
    if (found == outstanding_.end()) {
        return room * static_cast<std::uint32_t>(shards_of_thread_.size());
    }
    std::uint32_t lacking = 0;
    for (const std::uint32_t pages : found->second) {
        lacking += pages < room ? room - pages : 0;
    }
    return lacking;
}

std::uint32_t shard_room::pages_to_claim(const std::string& event, const kind& of) const {
    // Twice what may be in flight: the next shard is at hand when the last page of one is opened.
    const std::uint32_t lacking = pages_lacking(of, 2 * pages_in_flight_);
    if (lacking != 0) {
        return lacking;
    }
    // Others have all the room. Who has little gets in among them, where pages take turns.
    const auto little = static_cast<std::uint32_t>(pages_in_flight_);
    const std::uint32_t has = pages_held(event, of.first);
    return has < little ? std::min(little - has, pages_lacking(of, 4 * pages_in_flight_)) : 0;
}

std::size_t shard_room::thread_for(const kind& of) {
    const std::size_t own = own_thread(of.first);
    const auto found = outstanding_.find(of);
    std::size_t best = 0;
    std::pair<std::uint32_t, std::uint32_t> least(UINT32_MAX, UINT32_MAX);
    for (std::size_t thread = 0; thread < shards_of_thread_.size(); ++thread) {
        const std::uint32_t pages = found == outstanding_.end() ? 0 : found->second[thread];
        const std::uint32_t shards = shards_of_thread_[thread] + (thread == own ? 0 : worth_a_connection);
        const std::pair load(pages, shards);
        if (load < least) {
            least = load;
            best = thread;
        }
    }
    return best;
}

/// Of each platform alike: what a connection costs differs between them.
std::size_t shard_room::own_thread(const target& which) {
    const auto known = own_threads_.find(which);
    if (known != own_threads_.end()) {
        return known->second;
    }
    std::vector<std::pair<std::size_t, std::size_t>> targets_of(shards_of_thread_.size());
    for (const auto& [other, thread] : own_threads_) {
        targets_of[thread].first += other.on == which.on ? 1 : 0;
        ++targets_of[thread].second;
    }
    const auto fewest = std::ranges::min_element(targets_of) - targets_of.begin();
    return own_threads_.emplace(which, static_cast<std::size_t>(fewest)).first->second;
}

}  // namespace tocsin
