#include "providers/apns/push_type.hpp"

#include "engine/core/text.hpp"

#include <algorithm>
#include <array>

namespace tocsin::apns {
namespace {

constexpr auto types = std::to_array<push_type>({
    {"alert", "", ordinary_payload_limit, false},
    {"background", "", ordinary_payload_limit, false},
    {"complication", ".complication", ordinary_payload_limit, false},
    {"controls", ".push-type.controls", ordinary_payload_limit, false},
    {"fileprovider", ".pushkit.fileprovider", ordinary_payload_limit, false},
    {"liveactivity", ".push-type.liveactivity", ordinary_payload_limit, false},
    {"location", ".location-query", ordinary_payload_limit, true},
    {"mdm", "", ordinary_payload_limit, false},
    {"pushtotalk", ".voip-ptt", ordinary_payload_limit, false},
    {"voip", ".voip", voip_payload_limit, false},
    {"widgets", ".push-type.widgets", ordinary_payload_limit, false},
});

}  // namespace

const push_type* find_push_type(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(types, name, &push_type::name);
    return found == types.end() ? nullptr : found;
}

std::string_view topic_suffix_of(std::string_view topic) noexcept {
    for (const push_type& type : types) {
        if (!type.topic_suffix.empty() && topic.ends_with(type.topic_suffix)) {
            return type.topic_suffix;
        }
    }
    return {};
}

std::string_view nearest_push_type(std::string_view name) noexcept {
    std::array<std::string_view, types.size()> names;
    std::ranges::transform(types, names.begin(), &push_type::name);
    return nearest(name, names);
}

}  // namespace tocsin::apns
