#include "tools/simulator/header_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace tocsin::sim {
namespace {

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(bytes), size};
}

/// True if each byte is an indexed field (RFC 7541, section 6.1) whose index fits into it.
bool only_indices(std::string_view block) noexcept {
    return std::ranges::all_of(block, [](char c) {
        return static_cast<unsigned char>(c) > 0x80U && static_cast<unsigned char>(c) < 0xFFU;
    });
}

/// No control characters, whole words at a time: paths and tokens are long.
bool is_plain(std::string_view value) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101U;
    constexpr std::uint64_t tops = 0x8080808080808080U;
    std::size_t at = 0;
    std::uint64_t odd = 0;
    for (; at + sizeof odd <= value.size(); at += sizeof odd) {
        std::uint64_t word = 0;
        std::memcpy(&word, value.data() + at, sizeof word);
        // The top bit of a byte that is below 0x20, or is 0x7F.
        const std::uint64_t low = (word - ones * 0x20U) & ~word;
        const std::uint64_t removed = ((word ^ ones * 0x7FU) - ones) & ~(word ^ ones * 0x7FU);
        odd |= (low | removed) & tops;
    }
    const auto suspicious = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20U || byte == 0x7FU;
    };
    const bool padded = !value.empty() && (value.front() == ' ' || value.back() == ' ');
    if (odd == 0 && !padded &&
        std::none_of(value.begin() + static_cast<std::ptrdiff_t>(at), value.end(), suspicious)) {
        return true;
    }
    // A tab, perhaps: nghttp2 knows all of the rules.
    return nghttp2_check_header_value_rfc9113(
               reinterpret_cast<const std::uint8_t*>(value.data()), value.size()) != 0;
}

/// Fields that only HTTP/1 has.
bool belongs_to_http1(std::string_view name, std::string_view value) noexcept {
    return name == "connection" || name == "keep-alive" || name == "proxy-connection" ||
           name == "transfer-encoding" || name == "upgrade" || (name == "te" && value != "trailers");
}

}  // namespace

header_reader::header_reader() {
    nghttp2_hd_inflater* raw = nullptr;
    nghttp2_hd_inflate_new(&raw);
    inflater_.reset(raw);
}

header_reader::block header_reader::read(std::string_view bytes, bool trailers, header_sink& sink) noexcept {
    if (!trailers && !repeated_.empty() && bytes == repeated_) {
        for (const field& one : fields_) {
            sink.on_field(one.name, one.value);
        }
        return repeated_result_;
    }
    remembering_ = !trailers && only_indices(bytes);
    repeated_.clear();
    fields_.clear();
    progress state;
    state.trailers = trailers;
    inflate(bytes, state, sink);
    const bool complete = trailers || (state.method && state.scheme && state.path);
    if (state.found.worth == verdict::good && !complete) {
        state.found.worth = verdict::malformed;
    }
    if (remembering_) {
        repeated_ = bytes;
        repeated_result_ = state.found;
    }
    return state.found;
}

void header_reader::inflate(std::string_view bytes, progress& state, header_sink& sink) noexcept {
    const auto* at = reinterpret_cast<const std::uint8_t*>(bytes.data());
    const auto* const end = at + bytes.size();
    for (;;) {
        nghttp2_nv found{};
        int flags = NGHTTP2_HD_INFLATE_NONE;
        const ssize_t used = nghttp2_hd_inflate_hd2(
            inflater_.get(), &found, &flags, at, static_cast<std::size_t>(end - at), 1);
        if (used < 0) {
            state.found.worth = verdict::broken;
            return;
        }
        at += used;
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
            const auto name = text_of(found.name, found.namelen);
            const auto value = text_of(found.value, found.valuelen);
            check(name, value, state);
            sink.on_field(name, value);
            if (remembering_) {
                fields_.push_back({std::string(name), std::string(value)});
            }
        }
        if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
            nghttp2_hd_inflate_end_headers(inflater_.get());
            return;
        }
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && at == end) {
            state.found.worth = verdict::broken;  // The block ends within a field.
            return;
        }
    }
}

void header_reader::check(std::string_view name, std::string_view value, progress& state) noexcept {
    if (!is_plain(value)) {
        state.found.worth = verdict::malformed;
    } else if (!name.empty() && name.front() == ':') {
        check_pseudo(name, value, state);
    } else {
        check_regular(name, value, state);
    }
}

void header_reader::check_pseudo(std::string_view name, std::string_view value, progress& state) noexcept {
    bool* seen = name == ":path"        ? &state.path
                 : name == ":method"    ? &state.method
                 : name == ":scheme"    ? &state.scheme
                 : name == ":authority" ? &state.authority
                                        : nullptr;
    if (seen == nullptr || *seen || state.regular || state.trailers ||
        (seen == &state.path && value.empty())) {
        state.found.worth = verdict::malformed;
        return;
    }
    *seen = true;
}

void header_reader::check_regular(std::string_view name, std::string_view value, progress& state) noexcept {
    state.regular = true;
    if (name == "content-length") {
        std::uint64_t length = 0;
        const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), length);
        if (failed != std::errc() || end != value.data() + value.size() || state.found.content_length) {
            state.found.worth = verdict::malformed;
        }
        state.found.content_length = length;
    } else if (
        nghttp2_check_header_name(reinterpret_cast<const std::uint8_t*>(name.data()), name.size()) == 0 ||
        belongs_to_http1(name, value)) {
        state.found.worth = verdict::malformed;
    }
}

}  // namespace tocsin::sim
