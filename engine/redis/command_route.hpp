#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tocsin::redis {

/// Where in a cluster a command belongs.
struct command_route {
    enum class destination : std::uint8_t {
        key,           ///< The node that has the slot of `key`.
        any_master,    ///< It is about no key, and one node's answer is as good as another's.
        every_master,  ///< It changes each node: CONFIG SET, FLUSHALL.
        nowhere,       ///< It is about a connection or about all keys, which one node is not: MULTI, SCAN.
    };
    destination to = destination::key;
    std::string_view key;  ///< The first key: all keys of one command must share its slot.
};

/// Reads the name and the arguments of one command, name first; never empty.
///
/// A command that is not known here is taken to have its first key right after its name, as nearly
/// all have.
[[nodiscard]] command_route route_command(std::span<const std::string_view> words) noexcept;

}  // namespace tocsin::redis
