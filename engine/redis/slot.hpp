#pragma once

#include <cstdint>
#include <string_view>

namespace tocsin::redis {

/// How many parts a Redis Cluster divides its keys into.
constexpr std::uint16_t slot_count = 16384;

/// What a cluster hashes of a key: what stands between its first { and the next }, if that is not
/// empty, else all of it.
[[nodiscard]] std::string_view hash_tag(std::string_view key) noexcept;

/// The slot of a key, below slot_count.
[[nodiscard]] std::uint16_t key_slot(std::string_view key) noexcept;

}  // namespace tocsin::redis
