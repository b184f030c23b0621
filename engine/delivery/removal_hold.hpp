#pragma once

#include "engine/delivery/removal_brake.hpp"
#include "engine/plan/shard.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

/// Why the removals of a target are held: what an operator is asked about.
struct removal_hold {
    std::int64_t since = 0;  ///< ms
    std::string event;       ///< Which event it was noticed in.
    answer_counts seen;
    answer_counts usual;
    double limit = 0;  ///< The share above which one was unusual.
};
[[nodiscard]] std::string encode_hold(const removal_hold& why);
[[nodiscard]] std::optional<removal_hold> decode_hold(std::string_view text);
/// "the provider calls 5000 of 5010 devices of <app>/<platform> gone (usually 1.2 %)".
[[nodiscard]] std::string sentence_about(const target& which, const removal_hold& why);

}  // namespace tocsin
