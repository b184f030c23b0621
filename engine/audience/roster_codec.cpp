#include "engine/audience/roster_codec.hpp"

#include "engine/core/varint.hpp"
#include "engine/event/subscription.hpp"

namespace tocsin {
namespace {

enum flag : std::uint8_t {
    flag_sandbox = 1,
    flag_fid = 2,
    flag_locale = 4,
    flag_mute = 8,
    flag_follows = 16,
    flag_keys = 32,
    flag_short = 64,  // The token beside it is a shortened_token().
    known_flags = 127,
};

bool has_short_token(std::string_view entry) noexcept {
    return !entry.empty() && (static_cast<std::uint8_t>(entry.front()) & flag_short) != 0;
}

void append_territory(std::string& out, const territory& where) {
    append_varint(out, std::uint64_t{where.commune.value()} << 1U | (where.zone.empty() ? 0U : 1U));
    if (!where.zone.empty()) {
        append_counted(out, where.zone);
    }
}

}  // namespace

std::optional<roster_record> decode_roster_record(
    std::string_view value, token_beginnings beginnings) noexcept {
    const auto token = take_counted(value);
    if (!token || token->empty()) {
        return std::nullopt;
    }
    if (!has_short_token(value)) {
        return roster_record{{{*token}}, value};
    }
    const auto whole = lengthened_token(*token, beginnings);
    if (!whole || whole->size() == 0) {
        return std::nullopt;
    }
    return roster_record{*whole, value};
}

std::string encode_roster_record(
    std::string_view token, std::string_view entry, token_beginnings beginnings) {
    std::string out;
    append_counted(out, has_short_token(entry) ? shortened_token(token, beginnings) : std::string(token));
    out += entry;
    return out;
}

std::string encode_roster_record(const device& which, token_beginnings beginnings) {
    return encode_roster_record(which.token, encode_roster_entry(which), beginnings);
}

bool roster_entry::mutes(std::string_view category) const noexcept {
    if (category.empty()) {
        return false;
    }
    std::string_view rest = muted;
    while (!rest.empty()) {
        const auto word = take_counted(rest);
        if (!word) {
            return false;
        }
        if (*word == category) {
            return true;
        }
    }
    return false;
}

std::optional<roster_entry> decode_roster_entry(std::string_view value) noexcept {
    if (value.size() < 5) {
        return std::nullopt;
    }
    const auto flags = static_cast<std::uint8_t>(value.front());
    if ((flags & ~known_flags) != 0) {
        return std::nullopt;
    }
    roster_entry out;
    out.sandbox = (flags & flag_sandbox) != 0;
    out.is_fid = (flags & flag_fid) != 0;
    for (std::size_t i = 4; i >= 1; --i) {
        out.registered_at = out.registered_at << 8U | static_cast<unsigned char>(value[i]);
    }
    value.remove_prefix(5);
    if ((flags & flag_keys) != 0) {
        if (value.size() < subscription_keys_size) {
            return std::nullopt;
        }
        out.keys = value.substr(0, subscription_keys_size);
        value.remove_prefix(subscription_keys_size);
    }
    if ((flags & flag_locale) != 0) {
        const auto locale = take_counted(value);
        if (!locale) {
            return std::nullopt;
        }
        out.locale = *locale;
    }
    if ((flags & flag_mute) != 0) {
        const auto muted = take_counted(value);
        if (!muted) {
            return std::nullopt;
        }
        out.muted = *muted;
    }
    if ((flags & flag_follows) != 0) {
        out.follows = value;
        value = {};
    }
    if (!value.empty()) {
        return std::nullopt;
    }
    return out;
}

std::string encode_roster_entry(const device& which) {
    std::string out(1, '\0');
    std::uint8_t flags = 0;
    flags |= which.sandbox ? flag_sandbox : 0;
    flags |= which.is_fid ? flag_fid : 0;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<char>(which.registered_at >> shift));
    }
    if (which.keys.size() == subscription_keys_size) {
        flags |= flag_keys | flag_short;  // Where keys are, the token is a URL.
        out += which.keys;
    }
    if (!which.locale.empty()) {
        flags |= flag_locale;
        append_counted(out, which.locale);
    }
    if (!which.mute.empty()) {
        flags |= flag_mute;
        std::string list;
        for (const std::string& category : which.mute) {
            append_counted(list, category);
        }
        append_counted(out, list);
    }
    // The one territory of most devices is the roster that the entry stands in.
    if (which.follow.size() > 1) {
        flags |= flag_follows;
        out += encode_follows(which.follow);
    }
    out[0] = static_cast<char>(flags);
    return out;
}

std::string encode_follows(const std::vector<territory>& follow) {
    std::string out;
    for (const territory& where : follow) {
        append_territory(out, where);
    }
    return out;
}

std::optional<follow_reader::item> follow_reader::next() noexcept {
    if (rest_.empty()) {
        return std::nullopt;
    }
    const auto head = take_varint(rest_);
    if (!head || (*head >> 1U) > UINT32_MAX) {
        malformed_ = true;
        rest_ = {};
        return std::nullopt;
    }
    item out{commune_id(static_cast<std::uint32_t>(*head >> 1U)), {}};
    if ((*head & 1U) != 0) {
        const auto zone = take_counted(rest_);
        if (!zone) {
            malformed_ = true;
            rest_ = {};
            return std::nullopt;
        }
        out.zone = *zone;
    }
    return out;
}

std::optional<std::vector<territory>> decode_follows(std::string_view encoded) {
    std::vector<territory> out;
    follow_reader reader(encoded);
    while (const auto item = reader.next()) {
        out.push_back(territory{item->commune, std::string(item->zone)});
    }
    if (reader.malformed()) {
        return std::nullopt;
    }
    return out;
}

std::optional<device> decode_device(std::string_view token, std::string_view entry, const territory& where) {
    const auto decoded = decode_roster_entry(entry);
    if (!decoded) {
        return std::nullopt;
    }
    device out;
    out.token = token;
    out.keys = decoded->keys;
    out.is_fid = decoded->is_fid;
    out.sandbox = decoded->sandbox;
    out.registered_at = decoded->registered_at;
    out.locale = decoded->locale;
    for (std::string_view rest = decoded->muted; !rest.empty();) {
        const auto category = take_counted(rest);
        if (!category) {
            return std::nullopt;
        }
        out.mute.emplace_back(*category);
    }
    if (decoded->follows.empty()) {
        out.follow.push_back(where);
    } else {
        auto follow = decode_follows(decoded->follows);
        if (!follow) {
            return std::nullopt;
        }
        out.follow = std::move(*follow);
    }
    return out;
}

}  // namespace tocsin
