#pragma once

#include "engine/core/error.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin {

/// The `letter` document of the contract (§6). Bytes that are not UTF-8 cannot stand in JSON: they
/// are replaced in `payload`, and the whole is added as `payload_base64url`.
[[nodiscard]] std::string letter_document(
    std::string_view stream, std::string_view entry, const refusal& why, std::string_view payload);

/// What became of a letter that is written once, whichever engines want to write it.
enum class letter_fate : std::uint8_t { posted, there_before };

/// Where entries go that cannot be accepted: reported and acknowledged in one step, on a cluster in
/// two that are safe to repeat, so that they are neither lost nor in anybody's way.
class dead_letters {
public:
    dead_letters(redis::client& redis, keyspace keys, std::size_t max_length, metrics_shard& metrics)
        : redis_(redis), keys_(std::move(keys)), max_length_(max_length), metrics_(metrics) {}

    boost::asio::awaitable<result<>> post(
        std::string stream, std::string entry, refusal why, std::string payload);
    /// The same for what several engines may notice: one letter. The entry was acknowledged before.
    boost::asio::awaitable<result<letter_fate>> post_once(
        std::string stream, std::string entry, refusal why, std::string payload);

private:
    redis::client& redis_;
    keyspace keys_;
    std::size_t max_length_;
    metrics_shard& metrics_;
};

}  // namespace tocsin
