#pragma once

#include <cstddef>
#include <string_view>

namespace tocsin::apns {

constexpr std::size_t ordinary_payload_limit = 4096;
constexpr std::size_t voip_payload_limit = 5120;
constexpr std::size_t collapse_id_limit = 64;

/// What Apple asks of a push type ("Sending notification requests to APNs").
struct push_type {
    std::string_view name;
    std::string_view topic_suffix;
    std::size_t payload_limit;
    bool token_only;  ///< Not with certificates.
};

/// Null if there is no such type.
[[nodiscard]] const push_type* find_push_type(std::string_view name) noexcept;

/// The suffix of some push type that `topic` ends in (".voip"); empty if it ends in none, as a bundle id
/// does.
[[nodiscard]] std::string_view topic_suffix_of(std::string_view topic) noexcept;

/// The known type that is nearest to a mistyped one; may be empty.
[[nodiscard]] std::string_view nearest_push_type(std::string_view name) noexcept;

}  // namespace tocsin::apns
