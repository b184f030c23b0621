#include "engine/audience/audience.hpp"
#include "engine/core/varint.hpp"
#include "engine/event/device_token.hpp"
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

    const auto communes = take_count(bytes);
    if (!communes) {
        return corrupt("number of communes");
    }
    out.communes_.reserve(*communes);
    commune_id before{0};
    for (std::size_t i = 0; i < *communes; ++i) {
        const auto id = take_commune(bytes, before, 1);
        if (!id) {
            return corrupt("commune");
        }
        out.communes_.push_back(*id);
        before = *id;
    }

    const auto zones = take_count(bytes);
    if (!zones) {
        return corrupt("number of zones");
    }
    before = commune_id{0};
    for (std::size_t i = 0; i < *zones; ++i) {
        const auto commune = take_commune(bytes, before, 0);
        const auto name = take_counted(bytes);
        if (!commune || !name || !is_zone_name(*name)) {
            return corrupt("zone");
        }
        territory zone{.commune = *commune, .zone = std::string(*name)};
        if (!out.zones_.empty() && !(out.zones_.back() < zone)) {
            return corrupt("order of zones");
        }
        out.zones_.push_back(std::move(zone));
        before = *commune;
    }

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
        // Tokens go into paths and bodies as they are: what is stored is trusted no more than an event.
        if (!token || !check_token(on, written_token(on, *token), "device")) {
            return corrupt("token");
        }
        named_token device{.on = on, .token = std::string(*token)};
        if (!out.devices_.empty() && !(out.devices_.back() < device)) {
            return corrupt("order of devices");
        }
        out.devices_.push_back(std::move(device));
    }
    if (!bytes.empty()) {
        return corrupt("bytes behind its end");
    }
    out.settle();
    return out;
}

}  // namespace tocsin
