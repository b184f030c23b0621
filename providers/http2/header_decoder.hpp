#pragma once

#include "engine/core/c_handle.hpp"

#include <nghttp2/nghttp2.h>

#include <string_view>

namespace tocsin::http2 {

/// Reads header blocks (RFC 7541) with nghttp2's decoder. The blocks of a connection depend on one another:
/// each must be given, whole and in order, also those that nobody is interested in.
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
        for (std::size_t size = 0;;) {
            nghttp2_nv field{};
            const step next = advance(block, field);
            if (next == step::field) {
                size += field.namelen + field.valuelen + 32;
                if (size > largest_list) {
                    return false;
                }
                on_field(to_view(field.name, field.namelen), to_view(field.value, field.valuelen));
            } else {
                return next == step::end;
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
};

}  // namespace tocsin::http2
