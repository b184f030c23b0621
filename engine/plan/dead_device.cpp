#include "engine/plan/dead_device.hpp"

#include "engine/core/varint.hpp"

#include <utility>

namespace tocsin {

std::string encode_dead(const target& which, std::string_view token, std::string_view entry) {
    std::string out;
    append_counted(out, to_string(which));
    append_counted(out, token);
    out += entry;
    return out;
}

std::optional<dead_device> decode_dead(std::string_view bytes) {
    const auto name = take_counted(bytes);
    if (!name) {
        return std::nullopt;
    }
    auto which = parse_target(*name);
    const auto token = take_counted(bytes);
    if (!which || !token) {
        return std::nullopt;
    }
    return dead_device{std::move(*which), std::string(*token), std::string(bytes)};
}

}  // namespace tocsin
