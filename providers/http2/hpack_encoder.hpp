#pragma once

#include "providers/http2/byte_buffer.hpp"
#include "providers/http2/client.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::http2 {

/// Writes the header fields of requests (RFC 7541), made for requests of which all but a field or two repeat:
/// what repeats costs a comparison and one byte, and its `authorization` is kept in the table like the rest.
///
/// Indexing a credential is safe here although RFC 7541, section 7.1.3 warns of it in general: the attack
/// needs somebody who can have fields of his choice sent on this connection and watch their size, and all
/// fields here are made by us, for credentials of one operator.
///
/// Strings are not Huffman-coded: the ones that repeat are sent once, and for the others the time to code
/// them is worth more than the few bytes saved.
class hpack_encoder {
public:
    /// Larger tables of a peer are not used: it is memory for each connection, on both ends.
    static constexpr std::size_t largest_table = std::size_t{16} * 1024;

    /// The peer's SETTINGS_HEADER_TABLE_SIZE, from the next block on.
    void set_table_limit(std::size_t bytes);

    /// Bytes of any integer that is written here.
    static constexpr std::size_t largest_integer = 6;
    /// An upper bound for the size of the block of these fields.
    [[nodiscard]] static std::size_t bound(const request& what) noexcept {
        return bound(what.field_count, what.field_bytes());
    }
    [[nodiscard]] static constexpr std::size_t bound(std::size_t count, std::size_t bytes) noexcept {
        return bytes + largest_integer * (3 * count + 2);
    }

    /// Appends the block. There must be a peer that reads each of them, in this order.
    void encode(const request& what, byte_buffer& out);

private:
    struct entry {
        std::string name;
        std::string value;
        [[nodiscard]] std::size_t size() const noexcept { return name.size() + value.size() + 32; }
    };
    /// How the field at some place of a request was written the last time: most often it is the same again.
    struct memo {
        enum class kind : std::uint8_t { none, whole_static, whole_dynamic, name_static, name_literal };
        kind what = kind::none;
        std::uint64_t at = 0;  ///< Index in the static table, or number of the insertion.
        std::string name;      ///< Of name_literal.
    };

    [[nodiscard]] std::optional<std::size_t> recall(const memo& last, const field& wanted) const noexcept;
    [[nodiscard]] char* encode_new(const field& what, memo& last, char* to);
    [[nodiscard]] std::size_t index_of(std::uint64_t insertion) const noexcept;
    [[nodiscard]] std::size_t name_index(std::string_view name) const noexcept;
    void insert(const field& what);
    void evict_to(std::size_t bytes) noexcept;

    std::vector<entry> table_;  ///< Newest last.
    std::uint64_t inserted_ = 0;
    std::size_t size_ = 0;
    std::size_t limit_ = 4'096;
    std::size_t smallest_limit_ = 4'096;  ///< Since the last block.
    bool limit_changed_ = false;
    std::array<memo, request::max_fields> memos_;
};

}  // namespace tocsin::http2
