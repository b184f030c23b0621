#include "providers/http2/header_decoder.hpp"

#include <cstddef>
#include <cstdint>
#include <new>

namespace tocsin::http2 {

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
