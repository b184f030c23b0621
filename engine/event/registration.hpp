#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/event/territory.hpp"
#include "engine/platform/platform_traits.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

enum class registration_op : std::uint8_t { enroll, withdraw };

/// What a device asks for: contract §5, validated.
struct registration {
    registration_op op = registration_op::enroll;  ///< "register" and "unregister".
    std::string app;
    tocsin::platform platform{};
    std::string token;    ///< As stored (platform_traits::stored_token).
    std::string keys;     ///< Of a subscription: subscription_keys; empty to unregister by endpoint.
    bool is_fid = false;  ///< `token` is a Firebase installation id.
    std::vector<territory> follow;  ///< Sorted, each once; empty only to unregister.
    std::vector<std::string> mute;  ///< Sorted, each once.
    std::string locale;             ///< As normalize_locale() spells it; empty if unknown.
    bool sandbox = false;           ///< It is of the development environment.
    wall_time registered_at{};      ///< Whole seconds.

    friend bool operator==(const registration&, const registration&) = default;
};

constexpr std::size_t max_registration_bytes = std::size_t{64} * 1024;
constexpr std::size_t max_follows = 100;
constexpr std::size_t max_mutes = 32;

/// Reads one registration document (docs/reference/registrations.md). To unregister, whatever else
/// the document holds is checked and has no effect.
[[nodiscard]] parsed<registration> parse_registration(
    platform_set platforms, std::string_view json, wall_time now);

/// The document of a registration, as parse_registration() reads it: one line, no newline at its end.
[[nodiscard]] std::string to_json(platform_set platforms, const registration& device);

}  // namespace tocsin
