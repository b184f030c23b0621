#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace tocsin::http2 {

/// The open streams of a connection by id, for the ids of a client: they are odd and only rise. A `Stream`
/// keeps its id in the member that `Id` points to.
///
/// Open streams mostly have ids close together. So each id has a place of its own, which the next one that
/// falls on it comes to use only after twice as many requests as there are streams. If an older stream is
/// still there by then, the newer one is kept aside, by hash.
template <class Stream, auto Id>
class open_streams {
public:
    using id_type = std::remove_cvref_t<decltype(std::declval<const Stream&>().*Id)>;

    open_streams() : open_streams(places_at_first) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// Null if no such stream is open.
    [[nodiscard]] Stream* find(id_type id) const noexcept {
        Stream* const here = places_[place_of(id)];
        if (here != nullptr && here->*Id == id) [[likely]] {
            return here;
        }
        return aside_.empty() ? nullptr : find_aside(id);
    }

    /// `stream` has an id that no open stream has, and keeps it until remove().
    void add(Stream& stream) {
        if (2 * (size_ + 1) > places_.size()) [[unlikely]] {
            grow();
        }
        put(stream);
        ++size_;
    }

    void remove(const Stream& stream) noexcept {
        Stream*& here = places_[place_of(stream.*Id)];
        if (here == &stream) [[likely]] {
            here = nullptr;
            --size_;
        } else {
            size_ -= aside_.erase(stream.*Id);
        }
    }

    /// Calls `what` with each, in no particular order. It must not add or remove any.
    template <class Function>
    void for_each(const Function& what) const {
        for (Stream* const each : places_) {
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

    [[nodiscard]] std::size_t place_of(id_type id) const noexcept {
        return (static_cast<std::size_t>(id) / 2) & (places_.size() - 1);
    }

    [[nodiscard]] Stream* find_aside(id_type id) const noexcept {
        const auto found = aside_.find(id);
        return found == aside_.end() ? nullptr : found->second;
    }

    void put(Stream& stream) {
        Stream*& here = places_[place_of(stream.*Id)];
        if (here == nullptr) [[likely]] {
            here = &stream;
        } else {
            aside_.emplace(stream.*Id, &stream);
        }
    }

    void grow() {
        open_streams larger(places_.size() * 2);
        for_each([&larger](Stream& each) { larger.put(each); });
        places_.swap(larger.places_);
        aside_.swap(larger.aside_);
    }

    explicit open_streams(std::size_t places) : places_(places) {}

    std::vector<Stream*> places_;  ///< A power of two of them.
    boost::unordered_flat_map<id_type, Stream*> aside_;
    std::size_t size_ = 0;
};

}  // namespace tocsin::http2
