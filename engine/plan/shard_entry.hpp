#pragma once

#include "engine/plan/shard.hpp"
#include "engine/redis/reply.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

// How a shard stands in Redis, in the stream of its target or among what waits for its moment.

namespace tocsin {

/// What a shard holds, as a field of its stream's entry: its name and its bytes.
[[nodiscard]] std::pair<std::string_view, std::string> written(const shard& piece);

/// A shard out of the fields of its stream's entry; empty if they are nothing that plan() or claim() writes.
[[nodiscard]] std::optional<shard> parse_shard(const redis::reply& fields);
/// The same of a member of keyspace::waiting().
[[nodiscard]] std::optional<shard> parse_waiting_shard(std::string_view member);

}  // namespace tocsin
