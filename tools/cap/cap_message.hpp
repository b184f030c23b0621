#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

// The Common Alerting Protocol, version 1.2 (OASIS Standard, 1 July 2010). The enumerations are those of its
// section 3.2, in its order.

enum class cap_status : std::uint8_t { actual, exercise, system, test, draft };
enum class cap_kind : std::uint8_t { alert, update, cancel, ack, error };
enum class cap_urgency : std::uint8_t { immediate, expected, future, past, unknown };
enum class cap_severity : std::uint8_t { extreme, severe, moderate, minor, unknown };

/// What tells a message from all others: section 3.2.1, and what `references` holds.
struct cap_name {
    std::string sender;
    std::string identifier;
    std::string sent;  ///< As it is written.

    friend bool operator==(const cap_name&, const cap_name&) = default;
};

struct cap_geocode {
    std::string system;  ///< `valueName`
    std::string value;
    std::size_t line = 0;
};

struct cap_area {
    std::string description;
    std::vector<cap_geocode> geocodes;
    bool has_shape = false;  ///< A polygon or a circle.
    std::size_t line = 0;
};

/// One `info` block: the alert in one language.
struct cap_info {
    std::string language = "en-US";  ///< The default of section 3.2.2.
    std::string event;
    cap_urgency urgency = cap_urgency::unknown;
    cap_severity severity = cap_severity::unknown;
    std::string headline;
    std::string description;
    std::string instruction;
    std::string web;
    std::optional<wall_time> expires;
    std::vector<cap_area> areas;
    std::size_t line = 0;
};

struct cap_message {
    cap_name name;
    wall_time sent{};
    cap_status status = cap_status::actual;
    cap_kind kind = cap_kind::alert;
    std::vector<cap_name> references;
    std::vector<cap_info> infos;
};

/// Reads a CAP 1.2 message. Everything that the standard requires, restricts or enumerates is checked;
/// elements of other namespaces (a signature) are passed over.
///
/// A refusal begins with "line N: " and names the element and what would have been right. Codes: those of
/// read_xml(), "not_cap", "invalid_cap", "not_public".
[[nodiscard]] parsed<cap_message> read_cap(std::string_view document);

}  // namespace tocsin
