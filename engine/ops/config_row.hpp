#pragma once

#include "engine/ops/config_keys.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// How rows of the table of keys are written: key<&redis_settings::url>("redis", "url", "Where Redis
// is.").

namespace tocsin::config_rows {

namespace details {

template <class Class, class Type>
struct member_of {
    using owner = Class;
    using type = Type;
};
template <class Class, class Type>
member_of<Class, Type> taken_apart(Type Class::*);

/// The type that a value has in a config_value.
template <class Type>
struct carried {
    using type = Type;
};
template <>
struct carried<std::size_t> {
    using type = std::uint64_t;
};

template <class Type>
constexpr config_kind kind_for() {
    if constexpr (std::is_same_v<Type, std::string>) {
        return config_kind::text;
    } else if constexpr (std::is_same_v<Type, std::chrono::milliseconds>) {
        return config_kind::interval;
    } else if constexpr (std::is_same_v<Type, std::vector<std::string>>) {
        return config_kind::list;
    } else {
        return config_kind::count;
    }
}

/// The part of the settings that has the member: of a platform's, which kind follows from the row.
template <class Owner>
Owner& owner_in(const config_target& target) {
    if constexpr (std::is_base_of_v<platform_settings, Owner>) {
        return static_cast<Owner&>(*std::get<platform_settings*>(target));
    } else {
        return *std::get<Owner*>(target);
    }
}

}  // namespace details

/// A row for the member of the settings that `Member` points to.
template <auto Member>
constexpr config_key key(
    std::string_view section, std::string_view name, std::string_view help,
    std::string_view default_text = {}) {
    using member = decltype(details::taken_apart(Member));
    using owner = typename member::owner;
    using value = typename details::carried<typename member::type>::type;
    return {
        .section = section,
        .name = name,
        .kind = details::kind_for<typename member::type>(),
        .help = help,
        .default_text = default_text,
        .assign =
            [](const config_target& target, config_value given) {
                details::owner_in<owner>(target).*Member = std::get<value>(std::move(given));
            },
        .read =
            [](const config_target& target) {
                return config_value(std::in_place_type<value>, details::owner_in<owner>(target).*Member);
            }};
}

constexpr config_key as_path(config_key row) {
    row.kind = config_kind::path;
    return row;
}
constexpr config_key within(config_key row, std::uint64_t least, std::uint64_t most) {
    row.least = least;
    row.most = most;
    return row;
}
constexpr config_key one_of(config_key row, std::span<const std::string_view> choices) {
    row.choices = choices;
    return row;
}

/// What stands in the reference for the default of a key that has none.
inline constexpr std::string_view required = "(required)";
inline constexpr std::string_view none = "(none)";

}  // namespace tocsin::config_rows
