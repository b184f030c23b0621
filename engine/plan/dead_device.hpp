#pragma once

#include "engine/plan/shard.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

/// A dead device as a field of the event's `dead` hash.
[[nodiscard]] std::string encode_dead(const target& which, std::string_view token, std::string_view entry);
struct dead_device {
    target which;
    std::string token;
    std::string entry;  ///< Its roster entry when the page was read.
};
[[nodiscard]] std::optional<dead_device> decode_dead(std::string_view bytes);

}  // namespace tocsin
