#include "engine/plan/shard.hpp"

#include "engine/core/varint.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

std::uint32_t bucket_total(const std::vector<bucket_run>& runs) noexcept {
    std::uint32_t total = 0;
    for (const bucket_run& run : runs) {
        total += run.count;
    }
    return total;
}

std::optional<std::uint32_t> take_u32(std::string_view& bytes) noexcept {
    const auto value = take_varint(bytes);
    if (!value || *value > UINT32_MAX) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(*value);
}

}  // namespace

std::string to_string(const target& which) {
    return which.app + "/" + std::string(to_string(which.on));
}

std::optional<target> parse_target(std::string_view text) {
    const std::size_t slash = text.rfind('/');
    if (slash == std::string_view::npos || slash == 0) {
        return std::nullopt;
    }
    const auto on = parse_platform(text.substr(slash + 1));
    if (!on) {
        return std::nullopt;
    }
    return target{std::string(text.substr(0, slash)), *on};
}

std::string encode_listed(const listed_device& which) {
    std::string out;
    append_varint(out, which.commune);
    append_counted(out, which.token);
    append_counted(out, which.entry);
    append_varint(
        out, std::uint64_t{which.attempts} << 2U | (which.counted ? 2U : 0U) | (which.maybe_sent ? 1U : 0U));
    return out;
}

std::optional<std::vector<listed_device>> decode_listed(std::string_view bytes) {
    std::vector<listed_device> out;
    while (!bytes.empty()) {
        listed_device one;
        const auto commune = take_u32(bytes);
        const auto token = take_counted(bytes);
        const auto entry = take_counted(bytes);
        const auto tries = take_u32(bytes);
        if (!commune || !token || !entry || !tries) {
            return std::nullopt;
        }
        one.commune = *commune;
        one.token = *token;
        one.entry = *entry;
        one.attempts = static_cast<std::uint8_t>(std::min(*tries >> 2U, 255U));
        one.counted = (*tries & 2U) != 0;
        one.maybe_sent = (*tries & 1U) != 0;
        out.push_back(std::move(one));
    }
    return out;
}

std::string encode_hashed(const std::vector<hashed_device>& devices) {
    std::string out;
    for (auto first = devices.begin(); first != devices.end();) {
        const auto end = std::find_if(
            first, devices.end(), [&](const hashed_device& one) { return one.commune != first->commune; });
        append_varint(out, first->commune);
        append_varint(out, static_cast<std::uint64_t>(end - first));
        for (; first != end; ++first) {
            out += first->which.view();
        }
    }
    return out;
}

std::optional<std::vector<hashed_device>> decode_hashed(std::string_view bytes) {
    std::vector<hashed_device> out;
    while (!bytes.empty()) {
        const auto commune = take_u32(bytes);
        const auto count = take_u32(bytes);
        hashed_device one;
        if (!commune || !count || bytes.size() / one.which.bytes.size() < *count) {
            return std::nullopt;
        }
        one.commune = *commune;
        for (std::uint32_t i = 0; i < *count; ++i) {
            std::ranges::copy(bytes.substr(0, one.which.bytes.size()), one.which.bytes.begin());
            bytes.remove_prefix(one.which.bytes.size());
            out.push_back(one);
        }
    }
    return out;
}

std::uint32_t shard_size(std::uint32_t pages) noexcept {
    constexpr std::uint32_t shards_wanted = 64;
    return std::clamp<std::uint32_t>(pages / shards_wanted, 1, pages_per_shard);
}

std::uint32_t page_count(const shard& which) noexcept {
    if (which.names_devices()) {
        return 1;
    }
    return (bucket_total(which.runs) + buckets_per_page - 1) / buckets_per_page;
}

std::size_t devices_guessed(const shard& which, std::uint32_t index) noexcept {
    if (which.names_devices()) {
        return std::max(which.devices.size(), which.hashed.size());
    }
    const std::uint32_t total = bucket_total(which.runs);
    const std::uint32_t first = std::min(total, index * buckets_per_page);
    return std::size_t{std::min(total - first, buckets_per_page)} * devices_per_page / buckets_per_page;
}

std::vector<bucket_run> runs_of_page(const shard& which, std::uint32_t index) {
    std::vector<bucket_run> out;
    std::uint32_t skip = index * buckets_per_page;
    std::uint32_t room = buckets_per_page;
    for (const bucket_run& run : which.runs) {
        if (skip >= run.count) {
            skip -= run.count;
            continue;
        }
        bucket_run part = run;
        part.first += skip;
        part.count = std::min(run.count - skip, room);
        room -= part.count;
        skip = 0;
        out.push_back(std::move(part));
        if (room == 0) {
            break;
        }
    }
    return out;
}

std::string encode_runs(const std::vector<bucket_run>& runs) {
    std::string out;
    for (const bucket_run& run : runs) {
        append_varint(
            out, std::uint64_t{run.where.commune.value()} << 1U | (run.where.zone.empty() ? 0U : 1U));
        if (!run.where.zone.empty()) {
            append_counted(out, run.where.zone);
        }
        append_varint(out, run.generation);
        append_varint(out, run.first);
        append_varint(out, run.count);
    }
    return out;
}

std::optional<std::vector<bucket_run>> decode_runs(std::string_view bytes) {
    std::vector<bucket_run> out;
    while (!bytes.empty()) {
        bucket_run run;
        const auto head = take_varint(bytes);
        if (!head || (*head >> 1U) > UINT32_MAX) {
            return std::nullopt;
        }
        run.where.commune = commune_id(static_cast<std::uint32_t>(*head >> 1U));
        if ((*head & 1U) != 0) {
            const auto zone = take_counted(bytes);
            if (!zone) {
                return std::nullopt;
            }
            run.where.zone = *zone;
        }
        const auto generation = take_u32(bytes);
        const auto first = take_u32(bytes);
        const auto count = take_u32(bytes);
        if (!generation || !first || !count || *count == 0 || *first > UINT32_MAX - *count) {
            return std::nullopt;
        }
        run.generation = *generation;
        run.first = *first;
        run.count = *count;
        out.push_back(std::move(run));
    }
    return out;
}

std::vector<shard> plan_rosters(const std::vector<device_store::roster>& rosters, std::uint32_t first_page) {
    std::uint64_t buckets = 0;
    for (const auto& roster : rosters) {
        buckets += roster.head.buckets;
    }
    const auto pages = static_cast<std::uint32_t>((buckets + buckets_per_page - 1) / buckets_per_page);
    const std::uint32_t buckets_per_shard = buckets_per_page * shard_size(pages);
    std::vector<shard> out;
    std::uint32_t room = 0;
    for (const auto& roster : rosters) {
        for (std::uint32_t first = 0; first < roster.head.buckets;) {
            if (room == 0) {
                out.emplace_back();
                room = buckets_per_shard;
            }
            const std::uint32_t count = std::min(room, roster.head.buckets - first);
            out.back().runs.push_back({roster.where, roster.head.generation, first, count});
            first += count;
            room -= count;
        }
    }
    for (shard& one : out) {
        one.first_page = first_page;
        first_page += page_count(one);
    }
    return out;
}

std::vector<shard> plan_devices(std::vector<listed_device> devices, std::uint32_t first_page) {
    std::vector<shard> out;
    for (listed_device& which : devices) {
        if (out.empty() || out.back().devices.size() == devices_per_page) {
            out.emplace_back().first_page = first_page++;
        }
        out.back().devices.push_back(std::move(which));
    }
    return out;
}

std::vector<shard> plan_hashed(const std::vector<hashed_device>& devices, std::uint32_t first_page) {
    std::vector<shard> out;
    for (std::size_t first = 0; first < devices.size(); first += devices_per_page) {
        shard& one = out.emplace_back();
        one.first_page = first_page++;
        const std::size_t end = std::min(first + devices_per_page, devices.size());
        one.hashed.assign(
            devices.begin() + static_cast<std::ptrdiff_t>(first),
            devices.begin() + static_cast<std::ptrdiff_t>(end));
    }
    return out;
}

}  // namespace tocsin
