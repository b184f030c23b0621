#include "providers/http2/hpack_encoder.hpp"

#include "providers/http2/hpack_static.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::http2 {
namespace {

// The first bits of a field's representation (RFC 7541, section 6), and how many bits of that byte are left
// for the index.
struct representation {
    std::uint8_t pattern;
    unsigned prefix;
};
constexpr representation indexed{0x80, 7};
constexpr representation literal_indexed{0x40, 6};
constexpr representation table_size_update{0x20, 5};
constexpr representation literal_never_indexed{0x10, 4};
constexpr representation literal_not_indexed{0x00, 4};
constexpr representation plain_string{0x00, 7};

char* write_integer(representation how, std::size_t value, char* to) noexcept {
    const std::size_t full = (std::size_t{1} << how.prefix) - 1;
    if (value < full) [[likely]] {
        *to++ = static_cast<char>(how.pattern | value);
        return to;
    }
    *to++ = static_cast<char>(how.pattern | full);
    value -= full;
    for (; value >= 0x80; value >>= 7U) {
        *to++ = static_cast<char>(0x80U | (value & 0x7fU));
    }
    *to++ = static_cast<char>(value);
    return to;
}

char* write_string(std::string_view text, char* to) noexcept {
    to = write_integer(plain_string, text.size(), to);
    return std::copy(text.begin(), text.end(), to);
}

std::size_t size_in_table(const field& what) noexcept {
    return what.name.size() + what.value.size() + 32;
}

}  // namespace

void hpack_encoder::set_table_limit(std::size_t bytes) {
    const std::size_t limit = std::min(bytes, largest_table);
    if (limit == limit_) {
        return;
    }
    limit_ = limit;
    smallest_limit_ = limit_changed_ ? std::min(smallest_limit_, limit) : limit;
    limit_changed_ = true;
    evict_to(limit);
}

void hpack_encoder::encode(const request& what, byte_buffer& out) {
    char* const start = out.room(bound(what));
    char* to = start;
    if (std::exchange(limit_changed_, false)) {
        // The peer must see the smallest in between: entries that it made us drop are gone.
        if (smallest_limit_ < limit_) {
            to = write_integer(table_size_update, smallest_limit_, to);
        }
        to = write_integer(table_size_update, limit_, to);
    }
    for (std::size_t i = 0; i < what.field_count; ++i) {
        const field& each = what.fields[i];
        const auto index = recall(memos_[i], each);
        if (!index) [[unlikely]] {
            to = encode_new(each, memos_[i], to);
        } else if (each.how == indexing::keep) {
            to = write_integer(indexed, *index, to);
        } else {
            to = write_integer(literal_never_indexed, *index, to);
            if (*index == 0) {
                to = write_string(each.name, to);
            }
            to = write_string(each.value, to);
        }
    }
    out.advance(static_cast<std::size_t>(to - start));
}

/// The index to use if the field can be written as the last one at its place: of the whole field if it is to
/// be kept, of its name if not.
std::optional<std::size_t> hpack_encoder::recall(const memo& last, const field& wanted) const noexcept {
    const bool whole = wanted.how == indexing::keep;
    switch (last.what) {
        case memo::kind::none: return std::nullopt;
        case memo::kind::whole_static: {
            const hpack_field& known = hpack_static_table[last.at - 1];
            const bool same = whole && known.name == wanted.name && known.value == wanted.value;
            return same ? std::optional<std::size_t>(last.at) : std::nullopt;
        }
        case memo::kind::whole_dynamic: {
            const std::uint64_t age = inserted_ - 1 - last.at;
            if (!whole || age >= table_.size()) {
                return std::nullopt;
            }
            const entry& known = table_[table_.size() - 1 - age];
            const bool same = known.value == wanted.value && known.name == wanted.name;
            return same ? std::optional<std::size_t>(index_of(last.at)) : std::nullopt;
        }
        case memo::kind::name_static: {
            const bool same = !whole && hpack_static_table[last.at - 1].name == wanted.name;
            return same ? std::optional<std::size_t>(last.at) : std::nullopt;
        }
        case memo::kind::name_literal:
            return !whole && last.name == wanted.name ? std::optional<std::size_t>(0) : std::nullopt;
    }
    return std::nullopt;
}

char* hpack_encoder::encode_new(const field& what, memo& last, char* to) {
    last.what = memo::kind::none;
    if (what.how == indexing::keep) {
        const auto* const known = std::ranges::find_if(hpack_static_table, [&](const hpack_field& each) {
            return each.name == what.name && each.value == what.value;
        });
        if (known != hpack_static_table.end()) {
            const auto index = static_cast<std::size_t>(known - hpack_static_table.begin()) + 1;
            last.what = memo::kind::whole_static;
            last.at = index;
            return write_integer(indexed, index, to);
        }
        const auto kept = std::ranges::find_if(
            table_, [&](const entry& each) { return each.value == what.value && each.name == what.name; });
        if (kept != table_.end()) {
            last.what = memo::kind::whole_dynamic;
            last.at = inserted_ - static_cast<std::uint64_t>(table_.end() - kept);
            return write_integer(indexed, index_of(last.at), to);
        }
    }
    const std::size_t name = name_index(what.name);
    const bool insertable = what.how == indexing::keep && size_in_table(what) <= limit_;
    representation how = insertable ? literal_indexed : literal_not_indexed;
    if (what.how == indexing::never) {
        how = literal_never_indexed;
        if (name == 0) {
            last.what = memo::kind::name_literal;
            last.name = what.name;
        } else if (name <= hpack_static_table.size()) {
            last.what = memo::kind::name_static;
            last.at = name;
        }
    }
    to = write_integer(how, name, to);
    if (name == 0) {
        to = write_string(what.name, to);
    }
    to = write_string(what.value, to);
    if (insertable) {
        insert(what);
        last.what = memo::kind::whole_dynamic;
        last.at = inserted_ - 1;
    }
    return to;
}

std::size_t hpack_encoder::index_of(std::uint64_t insertion) const noexcept {
    return hpack_static_table.size() + static_cast<std::size_t>(inserted_ - insertion);
}

std::size_t hpack_encoder::name_index(std::string_view name) const noexcept {
    const auto* const known = std::ranges::find(hpack_static_table, name, &hpack_field::name);
    if (known != hpack_static_table.end()) {
        return static_cast<std::size_t>(known - hpack_static_table.begin()) + 1;
    }
    const auto kept = std::ranges::find(table_, name, &entry::name);
    return kept == table_.end() ? 0
                                : hpack_static_table.size() + static_cast<std::size_t>(table_.end() - kept);
}

void hpack_encoder::insert(const field& what) {
    const std::size_t size = size_in_table(what);
    evict_to(limit_ - size);
    table_.push_back({std::string(what.name), std::string(what.value)});
    size_ += size;
    ++inserted_;
}

void hpack_encoder::evict_to(std::size_t bytes) noexcept {
    auto oldest = table_.begin();
    for (; size_ > bytes; ++oldest) {
        size_ -= oldest->size();
    }
    table_.erase(table_.begin(), oldest);
}

}  // namespace tocsin::http2
