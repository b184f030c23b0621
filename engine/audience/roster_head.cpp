#include "engine/audience/roster_head.hpp"

#include <charconv>
#include <cstddef>

namespace tocsin {

std::string roster_head_field(platform on, const territory& where) {
    return std::string(to_string(on)) + ":" + to_string(where);
}

std::optional<roster_head> decode_roster_head(std::string_view text) noexcept {
    roster_head out;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    const char* const middle = text.data() + colon;
    const char* const end = text.data() + text.size();
    const auto generation = std::from_chars(text.data(), middle, out.generation);
    const auto buckets = std::from_chars(middle + 1, end, out.buckets);
    if (generation.ec != std::errc{} || generation.ptr != middle || buckets.ec != std::errc{} ||
        buckets.ptr != end || out.buckets == 0 || out.buckets > max_roster_buckets || out.generation == 0 ||
        out.generation > max_roster_generation) {
        return std::nullopt;
    }
    return out;
}

std::string encode_roster_head(const roster_head& head) {
    return std::to_string(head.generation) + ":" + std::to_string(head.buckets);
}

}  // namespace tocsin
