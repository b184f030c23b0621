#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/core/digest.hpp"
#include "engine/event/territory.hpp"
#include "engine/platform/platform.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// One app on one platform: what lanes, channels and shards belong to.
struct target {
    std::string app;
    platform on{};

    friend auto operator<=>(const target&, const target&) = default;
};

/// "<app>/<platform>".
[[nodiscard]] std::string to_string(const target& which);
[[nodiscard]] std::optional<target> parse_target(std::string_view text);

/// Some consecutive buckets of one roster.
struct bucket_run {
    territory where;
    std::uint32_t generation = 1;
    std::uint32_t first = 0;
    std::uint32_t count = 0;

    friend bool operator==(const bucket_run&, const bucket_run&) = default;
};

/// A device that is named and not found in a roster: by a device selector, or as a parked retry.
struct listed_device {
    std::uint32_t commune = 0;  ///< Which commune it counts for; 0: none.
    std::string token;
    std::string entry;  ///< As encode_roster_entry() wrote it.
    std::uint8_t attempts = 0;
    bool maybe_sent = false;  ///< An earlier try may have reached it.
    bool counted = false;     ///< Already part of `targeted`: it was parked, not named.

    friend bool operator==(const listed_device&, const listed_device&) = default;
};

/// A device that an earlier event was sent to: who it is by now is looked up when its page is read.
struct hashed_device {
    std::uint32_t commune = 0;  ///< Which commune it counts for; 0: none.
    token_hash which;

    friend bool operator==(const hashed_device&, const hashed_device&) = default;
};

/// One after the other: two such texts end to end are the text of both.
[[nodiscard]] std::string encode_hashed(const std::vector<hashed_device>& devices);
/// Empty if the bytes are not what encode_hashed() wrote.
[[nodiscard]] std::optional<std::vector<hashed_device>> decode_hashed(std::string_view bytes);

[[nodiscard]] std::string encode_listed(const listed_device& which);
/// Empty if the bytes are not a sequence of encode_listed().
[[nodiscard]] std::optional<std::vector<listed_device>> decode_listed(std::string_view bytes);

/// The unit of claiming: runs of buckets, named devices, or those of an earlier event, of one target. Its
/// pages are numbered from `first_page` on; numbers are never used twice in an event.
struct shard {
    std::uint32_t first_page = 0;
    std::vector<bucket_run> runs;
    std::vector<listed_device> devices;
    std::vector<hashed_device> hashed;

    /// Of named devices or those of an earlier event: one page.
    [[nodiscard]] bool names_devices() const noexcept { return !devices.empty() || !hashed.empty(); }

    friend bool operator==(const shard&, const shard&) = default;
};

/// Which shard of which event.
struct shard_ticket {
    std::string event;
    target which;
    std::string entry;  ///< In the shard stream.
};

/// Buckets read at once: some 1,000 devices at 35 % following. Part of what is stored: an engine
/// that took another number would number the same buckets differently.
constexpr std::uint32_t buckets_per_page = 13;
/// Most pages of a shard as planned: small enough to finish in seconds, large enough not to be noticed.
constexpr std::uint32_t pages_per_shard = 16;
/// Shards of a target of few pages are smaller, so that there are some for every engine.
[[nodiscard]] std::uint32_t shard_size(std::uint32_t pages) noexcept;
/// Named devices in one shard, which is then one page.
constexpr std::size_t devices_per_page = 1'000;

[[nodiscard]] std::uint32_t page_count(const shard& which) noexcept;
/// About how many devices page `index` has: for what is done before it is read.
[[nodiscard]] std::size_t devices_guessed(const shard& which, std::uint32_t index) noexcept;
/// The runs of page `index` (0 … page_count - 1) of a shard of runs.
[[nodiscard]] std::vector<bucket_run> runs_of_page(const shard& which, std::uint32_t index);

[[nodiscard]] std::string encode_runs(const std::vector<bucket_run>& runs);
[[nodiscard]] std::optional<std::vector<bucket_run>> decode_runs(std::string_view bytes);

/// Cuts rosters into shards, whole pages each, numbered from `first_page`.
[[nodiscard]] std::vector<shard> plan_rosters(
    const std::vector<device_store::roster>& rosters, std::uint32_t first_page);
[[nodiscard]] std::vector<shard> plan_devices(std::vector<listed_device> devices, std::uint32_t first_page);
[[nodiscard]] std::vector<shard> plan_hashed(
    const std::vector<hashed_device>& devices, std::uint32_t first_page);

}  // namespace tocsin
