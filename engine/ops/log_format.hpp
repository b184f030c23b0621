#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tocsin {

enum class log_format : std::uint8_t {
    json,        ///< One JSON object a line, for a collector.
    text,        ///< Time, level, event, key=value, for a reader.
    colour_text  ///< The same with the level coloured.
};

/// "debug", "info", "warning" or "error".
[[nodiscard]] std::string_view name_of(log_level level) noexcept;

/// One line of the log with its line feed. Whatever the fields hold, the line is UTF-8, is one line,
/// and drives no terminal: control characters, bidirectional overrides and bytes that are not UTF-8
/// come out escaped.
[[nodiscard]] std::string format_log_line(
    log_format format, wall_time when, log_level level, std::string_view event,
    std::span<const log_field> fields);

}  // namespace tocsin
