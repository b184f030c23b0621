#pragma once

#include "engine/core/error.hpp"
#include "engine/ops/settings.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tocsin {

struct config_section {
    std::string_view path;    ///< "redis".
    std::string_view header;  ///< "[redis]", as the file has it.
    std::string_view help;
    bool in_environment = true;  ///< Settable by flags and the environment.
};

enum class config_kind : std::uint8_t {
    text,
    path,      ///< Of a file; relative to the configuration file's folder.
    count,     ///< A whole number.
    interval,  ///< "25s", or a whole number of seconds.
    list       ///< Of texts.
};

using config_value =
    std::variant<std::string, std::uint64_t, std::chrono::milliseconds, std::vector<std::string>>;

/// The part of the settings that a key writes to.
using config_target = std::variant<
    std::monostate, redis_settings*, engine_settings*, admin_settings*, log_settings*, territories_settings*,
    quiet_hours_settings*, app_settings*, platform_settings*>;

/// One row of the table of keys.
struct config_key {
    std::string_view section;  ///< Its path.
    std::string_view name;
    config_kind kind;
    std::string_view help;
    /// What stands in the reference for a default that the code computes; empty: the default itself.
    std::string_view default_text;
    void (*assign)(const config_target&, config_value);
    config_value (*read)(const config_target&);
    std::uint64_t least = 0;  ///< Of a count; of a duration in milliseconds.
    std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    std::span<const std::string_view> choices{};  ///< Empty: any text.
};

/// The engine's own sections and keys; config_table has those of the platforms, too.
[[nodiscard]] std::span<const config_section> engine_config_sections() noexcept;
[[nodiscard]] std::span<const config_key> engine_config_keys() noexcept;

/// The section of which a file has many, one for each app.
inline constexpr std::string_view app_section = "app";

/// The part of the settings that a section of the engine's is about; nothing for those inside an app.
[[nodiscard]] config_target part_of(settings& whole, std::string_view section) noexcept;
/// "redis.url".
[[nodiscard]] std::string full_name(const config_key& key);
/// "TOCSIN_REDIS_URL".
[[nodiscard]] std::string environment_name(const config_key& key);

/// "25s", "7d", or a whole number of seconds.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept;

/// Reads a value from text, as flags and the environment give it. The refusal says what would be right.
[[nodiscard]] parsed<config_value> parse_config_value(const config_key& key, std::string_view text);
/// Checks the range or the choices of a value that has the right type.
[[nodiscard]] parsed<config_value> check_config_value(const config_key& key, config_value value);
/// "must be a duration such as "25s"": what a value of the wrong type is answered with.
[[nodiscard]] std::string expected_text(const config_key& key);
/// The value as the file has it: "25s" in quotes, 16, ["*"].
[[nodiscard]] std::string to_toml(const config_value& value);

}  // namespace tocsin
