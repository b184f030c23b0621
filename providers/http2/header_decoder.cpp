#include "providers/http2/header_decoder.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>

namespace tocsin::http2 {
namespace {

// An indexed field has the first bit set; an index that fills the others goes on in the next byte.
bool is_indexed_in_one_byte(char byte) noexcept {
    return static_cast<std::uint8_t>(byte) > 0x80U && static_cast<std::uint8_t>(byte) < 0xFFU;
}

}  // namespace

void known_block::begin(std::string_view block) {
    whole_ = false;
    block_.clear();
    text_.clear();
    sizes_.clear();
    if (block.size() <= most_bytes && std::ranges::all_of(block, is_indexed_in_one_byte)) {
        block_ = block;
    }
}

void known_block::add(std::string_view name, std::string_view value) {
    if (block_.empty()) {
        return;
    }
    if (text_.size() + name.size() + value.size() > most_text) {
        block_.clear();
        return;
    }
    text_.append(name).append(value);
    sizes_.push_back({static_cast<std::uint16_t>(name.size()), static_cast<std::uint16_t>(value.size())});
}

header_decoder::header_decoder() {
    nghttp2_hd_inflater* raw = nullptr;
    if (nghttp2_hd_inflate_new(&raw) != 0) {
        throw std::bad_alloc();
    }
    inflater_.reset(raw);
}

header_decoder::step header_decoder::advance(std::string_view& block, nghttp2_nv& field) noexcept {
    for (;;) {
        int flags = NGHTTP2_HD_INFLATE_NONE;
        const ssize_t consumed = nghttp2_hd_inflate_hd2(
            inflater_.get(), &field, &flags, reinterpret_cast<const std::uint8_t*>(block.data()),
            block.size(), 1);
        if (consumed < 0) {
            return step::failed;
        }
        block.remove_prefix(static_cast<std::size_t>(consumed));
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
            return step::field;
        }
        if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
            nghttp2_hd_inflate_end_headers(inflater_.get());
            return step::end;
        }
        if (consumed == 0 || block.empty()) {
            return step::failed;  // The block ends in the middle of a field.
        }
    }
}

}  // namespace tocsin::http2
