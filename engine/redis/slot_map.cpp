#include "engine/redis/slot_map.hpp"

#include "engine/redis/error.hpp"
#include "engine/redis/slot.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace tocsin::redis {
namespace {

template <class T>
std::optional<T> read_number(std::string_view text) noexcept {
    T value{};
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::string host_or(std::string_view announced, const endpoint& asked) {
    // "?" is what Redis says for a host name that it was never told.
    return announced.empty() || announced == "?" ? asked.host : std::string(announced);
}

}  // namespace

slot_map::slot_map() : owners_(slot_count, nobody) {}

std::uint16_t slot_map::index_of(const endpoint& node) {
    const auto found = std::find(masters_.begin(), masters_.end(), node);
    if (found != masters_.end()) {
        return static_cast<std::uint16_t>(found - masters_.begin());
    }
    masters_.push_back(node);
    return static_cast<std::uint16_t>(masters_.size() - 1);
}

result<slot_map> slot_map::parse(const reply& answer, const endpoint& asked) {
    if (!answer.is_array()) {
        return redis_errc::unexpected_reply;
    }
    slot_map out;
    for (std::size_t i = 0; i < answer.size(); ++i) {
        const reply range = answer[i];
        if (range.size() < 3 || range[2].size() < 2) {
            return redis_errc::unexpected_reply;
        }
        const auto first = range[0].integer();
        const auto last = range[1].integer();
        const auto port = range[2][1].integer();
        if (!first || !last || !port || *first < 0 || *last < *first || *last >= slot_count || *port < 1 ||
            *port > 0xFFFF) {
            return redis_errc::unexpected_reply;
        }
        const endpoint master{host_or(range[2][0].text(), asked), static_cast<std::uint16_t>(*port)};
        std::fill(out.owners_.begin() + *first, out.owners_.begin() + *last + 1, out.index_of(master));
    }
    return out;
}

std::optional<std::size_t> slot_map::owner(std::uint16_t slot) const noexcept {
    return owners_[slot] == nobody ? std::nullopt : std::optional<std::size_t>(owners_[slot]);
}

void slot_map::move(std::uint16_t slot, const endpoint& to) {
    owners_[slot] = index_of(to);
}

std::optional<redirection> parse_redirection(std::string_view error, const endpoint& asked) {
    redirection out;
    if (error.starts_with("MOVED ")) {
        error.remove_prefix(6);
    } else if (error.starts_with("ASK ")) {
        out.ask = true;
        error.remove_prefix(4);
    } else {
        return std::nullopt;
    }
    const std::size_t space = error.find(' ');
    const std::size_t colon = error.rfind(':');  // An IPv6 address comes without brackets.
    if (space == std::string_view::npos || colon == std::string_view::npos || colon < space) {
        return std::nullopt;
    }
    const auto slot = read_number<std::uint16_t>(error.substr(0, space));
    const auto port = read_number<std::uint16_t>(error.substr(colon + 1));
    if (!slot || *slot >= slot_count || !port || *port == 0) {
        return std::nullopt;
    }
    out.slot = *slot;
    out.to = {host_or(error.substr(space + 1, colon - space - 1), asked), *port};
    return out;
}

}  // namespace tocsin::redis
