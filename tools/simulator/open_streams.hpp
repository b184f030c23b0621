#pragma once

#include "tools/simulator/request.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace tocsin::sim {

/// Finds the request of an open stream.
///
/// Streams open in order of their numbers and mostly end soon, so that a place for each of the last few
/// thousand finds nearly all of them; one that stays open for longer than that may be in the way of a
/// newer one, which then goes into a map.
class open_streams {
public:
    [[nodiscard]] request* find(std::int32_t stream) const noexcept {
        request* const here = places_[place_of(stream)];
        if (here != nullptr && here->stream == stream) {
            return here;
        }
        const auto found = strays_.find(stream);
        return found == strays_.end() ? nullptr : found->second;
    }
    void add(request& opened) {
        request*& here = places_[place_of(opened.stream)];
        if (here == nullptr) {
            here = &opened;
        } else {
            strays_.emplace(opened.stream, &opened);
        }
    }
    void remove(const request& ended) noexcept {
        request*& here = places_[place_of(ended.stream)];
        if (here == &ended) {
            here = nullptr;
        } else {
            strays_.erase(ended.stream);
        }
    }

private:
    static std::size_t place_of(std::int32_t stream) noexcept {
        // A client's streams are odd.
        return (static_cast<std::size_t>(stream) >> 1U) % places;
    }

    static constexpr std::size_t places = 2048;
    std::array<request*, places> places_{};
    boost::unordered_flat_map<std::int32_t, request*> strays_;
};

}  // namespace tocsin::sim
