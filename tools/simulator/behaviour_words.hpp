#pragma once

#include "tools/simulator/behaviour.hpp"

#include <array>
#include <cstddef>
#include <string_view>

/// How the values of a behaviour are spelled, for whoever reads or shows one.
namespace tocsin::sim::words {

template <class Enum>
struct word {
    std::string_view text;
    Enum value;
};

inline constexpr auto fates = std::to_array<word<fate>>(
    {{"answer", fate::answer},
     {"reset", fate::reset},
     {"silence", fate::silence},
     {"close", fate::close},
     {"refuse", fate::refuse}});
inline constexpr auto body_words = std::to_array<word<error_bodies>>(
    {{"json", error_bodies::json},
     {"missing", error_bodies::missing},
     {"split", error_bodies::split},
     {"html", error_bodies::html}});
inline constexpr auto wedges = std::to_array<word<wedge>>(
    {{"off", wedge::off}, {"expired", wedge::expired}, {"internal", wedge::internal}});
inline constexpr auto action_words = std::to_array<word<action::kind>>(
    {{"goaway_graceful", action::kind::goaway_graceful},
     {"goaway_middle", action::kind::goaway_middle},
     {"goaway_zero", action::kind::goaway_zero},
     {"close", action::kind::close},
     {"settings", action::kind::settings},
     {"stall_windows", action::kind::stall_windows},
     {"wedge", action::kind::wedge},
     {"freeze", action::kind::freeze},
     {"revoke_tokens", action::kind::revoke_tokens}});

template <class Enum, std::size_t N>
std::string_view spelled(const std::array<word<Enum>, N>& words, Enum value) {
    for (const auto& one : words) {
        if (one.value == value) {
            return one.text;
        }
    }
    return "";
}

}  // namespace tocsin::sim::words
