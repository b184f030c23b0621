#include "providers/http2/hpack_encoder.hpp"

#include "providers/http2/hpack_static.hpp"

#include <algorithm>
#include <cstring>
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

constexpr std::size_t largest_integer = 6;  ///< Bytes of any that is written here.

void write_integer(representation how, std::size_t value, byte_buffer& out) {
    char* const start = out.room(largest_integer);
    char* to = start;
    const std::size_t full = (std::size_t{1} << how.prefix) - 1;
    if (value < full) [[likely]] {
        *to++ = static_cast<char>(how.pattern | value);
    } else {
        *to++ = static_cast<char>(how.pattern | full);
        value -= full;
        for (; value >= 0x80; value >>= 7U) {
            *to++ = static_cast<char>(0x80U | (value & 0x7fU));
        }
        *to++ = static_cast<char>(value);
    }
    out.advance(static_cast<std::size_t>(to - start));
}

void write_string(std::string_view text, byte_buffer& out) {
    write_integer(plain_string, text.size(), out);
    out.append(text);
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

std::size_t hpack_encoder::bound(const request& what) noexcept {
    std::size_t size = 2 * largest_integer;
    for (std::size_t i = 0; i < what.field_count; ++i) {
        size += 3 * largest_integer + what.fields[i].name.size() + what.fields[i].value.size();
    }
    return size;
}

void hpack_encoder::encode(const request& what, byte_buffer& out) {
    if (std::exchange(limit_changed_, false)) {
        // The peer must see the smallest in between: entries that it made us drop are gone.
        if (smallest_limit_ < limit_) {
            write_integer(table_size_update, smallest_limit_, out);
        }
        write_integer(table_size_update, limit_, out);
    }
    for (std::size_t i = 0; i < what.field_count; ++i) {
        const field& each = what.fields[i];
        memo& last = memos_[i];
        if (const auto index = recall(last, each)) [[likely]] {
            if (each.how == indexing::keep) {
                write_integer(indexed, *index, out);
            } else {
                write_integer(literal_never_indexed, *index, out);
                if (*index == 0) {
                    write_string(each.name, out);
                }
                write_string(each.value, out);
            }
            continue;
        }
        encode_new(each, last, out);
    }
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
            const entry& known = table_[age];
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

void hpack_encoder::encode_new(const field& what, memo& last, byte_buffer& out) {
    last.what = memo::kind::none;
    if (what.how == indexing::keep) {
        const auto* const known = std::ranges::find_if(hpack_static_table, [&](const hpack_field& each) {
            return each.name == what.name && each.value == what.value;
        });
        if (known != hpack_static_table.end()) {
            const auto index = static_cast<std::size_t>(known - hpack_static_table.begin()) + 1;
            last.what = memo::kind::whole_static;
            last.at = index;
            write_integer(indexed, index, out);
            return;
        }
        const auto kept = std::ranges::find_if(
            table_, [&](const entry& each) { return each.value == what.value && each.name == what.name; });
        if (kept != table_.end()) {
            last.what = memo::kind::whole_dynamic;
            last.at = inserted_ - 1 - static_cast<std::uint64_t>(kept - table_.begin());
            write_integer(indexed, index_of(last.at), out);
            return;
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
    write_integer(how, name, out);
    if (name == 0) {
        write_string(what.name, out);
    }
    write_string(what.value, out);
    if (insertable) {
        insert(what);
        last.what = memo::kind::whole_dynamic;
        last.at = inserted_ - 1;
    }
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
    return kept == table_.end()
               ? 0
               : hpack_static_table.size() + static_cast<std::size_t>(kept - table_.begin()) + 1;
}

void hpack_encoder::insert(const field& what) {
    const std::size_t size = size_in_table(what);
    evict_to(limit_ - size);
    table_.push_front({std::string(what.name), std::string(what.value)});
    size_ += size;
    ++inserted_;
}

void hpack_encoder::evict_to(std::size_t bytes) noexcept {
    while (size_ > bytes) {
        size_ -= table_.back().size();
        table_.pop_back();
    }
}

}  // namespace tocsin::http2
