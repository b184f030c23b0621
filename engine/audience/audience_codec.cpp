#include "engine/audience/audience.hpp"
#include "engine/core/varint.hpp"
#include "engine/event/refusal_codes.hpp"

#include <limits>
#include <optional>
#include <utility>

// version, flags, then three lists, each a count and its members in order:
//   communes as the distance to the one before, zones as (distance, name), devices as (platform, token)

namespace tocsin {
namespace {

constexpr char version = 1;
constexpr char everyone_flag = 1;

refusal corrupt(std::string_view what) {
    return refuse(refusal_code::corrupt_audience, "the stored audience cannot be read: " + std::string(what));
}

/// A count of members that can still be there, at a byte or more each.
std::optional<std::size_t> take_count(std::string_view& rest) noexcept {
    const auto count = take_varint(rest);
    if (!count || *count > rest.size()) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(*count);
}

/// The next commune; `least` is the smallest distance from the one before.
std::optional<commune_id> take_commune(
    std::string_view& rest, commune_id before, std::uint64_t least) noexcept {
    const auto distance = take_varint(rest);
    if (!distance || *distance < least ||
        *distance > std::numeric_limits<std::uint32_t>::max() - before.value()) {
        return std::nullopt;
    }
    const auto number = before.value() + static_cast<std::uint32_t>(*distance);
    if (!is_commune_id(number)) {
        return std::nullopt;
    }
    return commune_id(number);
}

parsed<> read_communes(std::string_view& bytes, std::vector<commune_id>& out) {
    const auto communes = take_count(bytes);
    if (!communes) {
        return corrupt("number of communes");
    }
    out.reserve(*communes);
    commune_id before{0};
    for (std::size_t i = 0; i < *communes; ++i) {
        const auto id = take_commune(bytes, before, 1);
        if (!id) {
            return corrupt("commune");
        }
        out.push_back(*id);
        before = *id;
    }
    return {};
}

parsed<> read_zones(std::string_view& bytes, std::vector<territory>& out) {
    const auto zones = take_count(bytes);
    if (!zones) {
        return corrupt("number of zones");
    }
    commune_id before{0};
    for (std::size_t i = 0; i < *zones; ++i) {
        const auto commune = take_commune(bytes, before, 0);
        const auto name = take_counted(bytes);
        if (!commune || !name || !is_zone_name(*name)) {
            return corrupt("zone");
        }
        territory zone{.commune = *commune, .zone = std::string(*name)};
        if (!out.empty() && !(out.back() < zone)) {
            return corrupt("order of zones");
        }
        out.push_back(std::move(zone));
        before = *commune;
    }
    return {};
}

parsed<> read_devices(std::string_view& bytes, std::vector<named_token>& out) {
    const auto devices = take_count(bytes);
    if (!devices) {
        return corrupt("number of devices");
    }
    for (std::size_t i = 0; i < *devices; ++i) {
        if (bytes.empty() || static_cast<unsigned char>(bytes.front()) >= platform_count) {
            return corrupt("platform");
        }
        const auto on = static_cast<platform>(bytes.front());
        bytes.remove_prefix(1);
        const auto token = take_counted(bytes);
        if (!token || token->empty()) {
            return corrupt("token");
        }
        named_token device{.on = on, .token = std::string(*token)};
        if (!out.empty() && !(out.back() < device)) {
            return corrupt("order of devices");
        }
        out.push_back(std::move(device));
    }
    return {};
}

}  // namespace

std::string audience::encode() const {
    std::string out;
    out.push_back(version);
    out.push_back(everyone_ ? everyone_flag : '\0');
    append_varint(out, communes_.size());
    commune_id before{0};
    for (const commune_id id : communes_) {
        append_varint(out, id.value() - before.value());
        before = id;
    }
    append_varint(out, zones_.size());
    before = commune_id{0};
    for (const territory& zone : zones_) {
        append_varint(out, zone.commune.value() - before.value());
        append_counted(out, zone.zone);
        before = zone.commune;
    }
    append_varint(out, devices_.size());
    for (const named_token& device : devices_) {
        out.push_back(static_cast<char>(device.on));
        append_counted(out, device.token);
    }
    return out;
}

parsed<audience> audience::decode(std::string_view bytes) {
    if (bytes.size() < 2 || bytes[0] != version || (bytes[1] & ~everyone_flag) != 0) {
        return corrupt("another version");
    }
    audience out;
    out.everyone_ = bytes[1] == everyone_flag;
    bytes.remove_prefix(2);

    if (auto fine = read_communes(bytes, out.communes_); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_zones(bytes, out.zones_); !fine) {
        return std::move(fine).error();
    }
    if (auto fine = read_devices(bytes, out.devices_); !fine) {
        return std::move(fine).error();
    }
    if (!bytes.empty()) {
        return corrupt("bytes behind its end");
    }
    out.settle();
    return out;
}

}  // namespace tocsin
