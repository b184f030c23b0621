#pragma once

#include "engine/core/c_handle.hpp"

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::http2 {

/// The fields of one header block that means the same each time it comes: until another block comes, which
/// may change the header table.
class known_block {
public:
    /// What such a block and its fields may come to: an answer of a provider has some ten fields.
    static constexpr std::size_t most_bytes = 32;
    static constexpr std::size_t most_text = 2'048;

    [[nodiscard]] bool is(std::string_view block) const noexcept { return whole_ && block == block_; }
    template <class OnField>
    void tell(OnField&& on_field) const {
        std::string_view rest = text_;
        for (const auto& [name, value] : sizes_) {
            on_field(rest.substr(0, name), rest.substr(name, value));
            rest.remove_prefix(std::size_t{name} + value);
        }
    }

    /// Forgets the last block. This one is remembered if end() comes and it takes all fields from the header
    /// table, in one byte each (RFC 7541, section 6.1): such a block leaves the table as it is.
    void begin(std::string_view block);
    void add(std::string_view name, std::string_view value);
    void end() noexcept { whole_ = !block_.empty(); }

private:
    struct sizes {
        std::uint16_t name;
        std::uint16_t value;
    };

    bool whole_ = false;
    std::string block_;  ///< Empty: it is not to be remembered.
    std::string text_;
    std::vector<sizes> sizes_;
};

/// Reads header blocks (RFC 7541) with nghttp2's decoder. The blocks of a connection depend on one another:
/// each must be given, whole and in order, also those that nobody is interested in. A block that repeats the
/// one before it costs a comparison, if it could not have changed anything.
class header_decoder {
public:
    header_decoder();

    /// What the fields of a block may come to, counted as RFC 9113, section 6.5.2 does: a few bytes can refer
    /// to a long field again and again.
    static constexpr std::size_t largest_list = std::size_t{64} * 1024;

    /// Calls `on_field(name, value)` for each field of `block`; the views live during the call. False if the
    /// block cannot be read or comes to more than largest_list: nothing after it can be read either.
    template <class OnField>
    [[nodiscard]] bool decode(std::string_view block, OnField&& on_field) {
        if (last_.is(block)) {
            last_.tell(on_field);
            return true;
        }
        last_.begin(block);
        for (std::size_t size = 0;;) {
            nghttp2_nv field{};
            const step next = advance(block, field);
            if (next == step::field) {
                size += field.namelen + field.valuelen + 32;
                if (size > largest_list) {
                    return false;
                }
                const std::string_view name = to_view(field.name, field.namelen);
                const std::string_view value = to_view(field.value, field.valuelen);
                last_.add(name, value);
                on_field(name, value);
            } else if (next == step::end) {
                last_.end();
                return true;
            } else {
                return false;
            }
        }
    }

private:
    enum class step { field, end, failed };
    [[nodiscard]] step advance(std::string_view& block, nghttp2_nv& field) noexcept;
    static std::string_view to_view(const std::uint8_t* data, std::size_t size) noexcept {
        return {reinterpret_cast<const char*>(data), size};
    }

    c_handle<nghttp2_hd_inflater, nghttp2_hd_inflate_del> inflater_;
    known_block last_;
};

}  // namespace tocsin::http2
