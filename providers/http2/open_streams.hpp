#pragma once

#include "providers/http2/stream_table.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tocsin::http2 {

/// The open streams of a connection by id, for the ids of a client: they are odd and only rise.
///
/// Open streams mostly have ids close together. So each id has a place of its own, which the next one that
/// falls on it comes to use only after twice as many requests as there are streams. If an older stream is
/// still there by then, the newer one is kept aside, by hash.
class open_streams {
public:
    open_streams() : open_streams(places_at_first) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// Null if no such stream is open.
    [[nodiscard]] stream_slot* find(std::uint32_t id) const noexcept {
        stream_slot* const here = places_[place_of(id)];
        if (here != nullptr && here->id == id) [[likely]] {
            return here;
        }
        return aside_.empty() ? nullptr : find_aside(id);
    }

    /// `slot` has an id that no open stream has, and keeps it until remove().
    void add(stream_slot& slot) {
        if (2 * (size_ + 1) > places_.size()) [[unlikely]] {
            grow();
        }
        put(slot);
        ++size_;
    }

    void remove(const stream_slot& slot) noexcept {
        stream_slot*& here = places_[place_of(slot.id)];
        if (here == &slot) [[likely]] {
            here = nullptr;
            --size_;
        } else {
            size_ -= aside_.erase(slot.id);
        }
    }

    /// Calls `what` with each, in no particular order. It must not add or remove any.
    template <class Function>
    void for_each(const Function& what) const {
        for (stream_slot* const each : places_) {
            if (each != nullptr) {
                what(*each);
            }
        }
        for (const auto& [id, each] : aside_) {
            what(*each);
        }
    }

private:
    static constexpr std::size_t places_at_first = 32;

    [[nodiscard]] std::size_t place_of(std::uint32_t id) const noexcept {
        return (id / 2) & (places_.size() - 1);
    }

    [[nodiscard]] stream_slot* find_aside(std::uint32_t id) const noexcept {
        const auto found = aside_.find(id);
        return found == aside_.end() ? nullptr : found->second;
    }

    void put(stream_slot& slot) {
        stream_slot*& here = places_[place_of(slot.id)];
        if (here == nullptr) [[likely]] {
            here = &slot;
        } else {
            aside_.emplace(slot.id, &slot);
        }
    }

    void grow() {
        open_streams larger(places_.size() * 2);
        for_each([&larger](stream_slot& each) { larger.put(each); });
        places_.swap(larger.places_);
        aside_.swap(larger.aside_);
    }

    explicit open_streams(std::size_t places) : places_(places) {}

    std::vector<stream_slot*> places_;  ///< A power of two of them.
    boost::unordered_flat_map<std::uint32_t, stream_slot*> aside_;
    std::size_t size_ = 0;
};

}  // namespace tocsin::http2
