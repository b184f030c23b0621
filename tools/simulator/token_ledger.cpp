#include "tools/simulator/token_ledger.hpp"

#include <utility>

namespace tocsin::sim {

token_ledger::place& token_ledger::shard::find_or_add(std::uint64_t key) {
    // Four fifths full at most: past that, probes get long.
    if ((totals.tokens + 1) * 5 > places.size() * 4) {
        grow();
    }
    const std::size_t mask = places.size() - 1;
    std::size_t at = key & mask;
    while (places[at].key() != key) {
        if (places[at].key() == 0) {
            places[at].key_low = static_cast<std::uint32_t>(key);
            places[at].key_high = static_cast<std::uint32_t>(key >> 32U);
            ++totals.tokens;
            break;
        }
        at = (at + 1) & mask;
    }
    return places[at];
}

const token_ledger::place* token_ledger::shard::find(std::uint64_t key) const noexcept {
    if (places.empty()) {
        return nullptr;
    }
    const std::size_t mask = places.size() - 1;
    for (std::size_t at = key & mask; places[at].key() != 0; at = (at + 1) & mask) {
        if (places[at].key() == key) {
            return &places[at];
        }
    }
    return nullptr;
}

void token_ledger::shard::count_acceptance(place& slot) noexcept {
    slot.accepted = raised(slot.accepted);
    if (slot.accepted == 1) {
        ++totals.accepted;
        return;
    }
    ++totals.repeats;
    if (slot.accepted == 2) {
        ++totals.accepted_twice;
    }
}

void token_ledger::shard::grow() {
    std::vector<place> old(places.empty() ? 256 : places.size() * 2);
    std::swap(old, places);
    const std::size_t mask = places.size() - 1;
    for (const place& moved : old) {
        if (moved.key() == 0) {
            continue;
        }
        std::size_t at = moved.key() & mask;
        while (places[at].key() != 0) {
            at = (at + 1) & mask;
        }
        places[at] = moved;
    }
}

void token_ledger::take_back(std::uint64_t key, bool was_accepted) {
    shard& part = shards_[key >> 58U];
    const std::lock_guard lock(part.mutex);
    place& slot = part.find_or_add(key);
    if (slot.received > 0) {
        --slot.received;
    }
    if (was_accepted && slot.accepted > 0) {
        --slot.accepted;
        if (slot.accepted == 0) {
            --part.totals.accepted;
        } else {
            --part.totals.repeats;
            if (slot.accepted == 1) {
                --part.totals.accepted_twice;
            }
        }
    }
}

token_counts token_ledger::counts(std::uint64_t key) const {
    const shard& part = shards_[key >> 58U];
    const std::lock_guard lock(part.mutex);
    const place* slot = part.find(key);
    return slot == nullptr ? token_counts{} : token_counts{slot->received, slot->accepted};
}

ledger_totals token_ledger::totals() const {
    ledger_totals sum;
    for (const shard& part : shards_) {
        const std::lock_guard lock(part.mutex);
        sum.tokens += part.totals.tokens;
        sum.accepted += part.totals.accepted;
        sum.accepted_twice += part.totals.accepted_twice;
        sum.repeats += part.totals.repeats;
    }
    return sum;
}

void token_ledger::clear() {
    for (shard& part : shards_) {
        const std::lock_guard lock(part.mutex);
        part.places = {};
        part.totals = {};
    }
}

}  // namespace tocsin::sim
