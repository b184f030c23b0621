#include "tools/simulator/header_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace tocsin::sim {
namespace {

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(bytes), size};
}

/// One field of a block as it was sent (RFC 7541, section 6).
struct representation {
    std::string_view raw;  ///< Empty if the block ends within it.
    bool changes_table = false;
    bool resizes_table = false;
};

/// Moves past an integer with a prefix of `bits`; npos if it does not end within `block` or is absurd.
std::size_t skip_integer(std::string_view block, std::size_t at, unsigned bits, std::size_t& value) noexcept {
    if (at >= block.size()) {
        return std::string_view::npos;
    }
    const std::size_t most = (std::size_t{1} << bits) - 1;
    value = static_cast<unsigned char>(block[at++]) & most;
    for (unsigned shift = 0; value >= most; shift += 7) {
        constexpr unsigned longest = 21;
        if (at >= block.size() || shift > longest) {
            return std::string_view::npos;
        }
        const auto byte = static_cast<unsigned char>(block[at++]);
        value += std::size_t{byte & 0x7FU} << shift;
        if ((byte & 0x80U) == 0) {
            break;
        }
    }
    return at;
}

std::size_t skip_string(std::string_view block, std::size_t at) noexcept {
    std::size_t size = 0;
    at = skip_integer(block, at, 7, size);
    return at == std::string_view::npos || size > block.size() - at ? std::string_view::npos : at + size;
}

/// The field at the beginning of `block`. Only where it ends is found out: what it means is nghttp2's.
representation first_of(std::string_view block) noexcept {
    const auto byte = static_cast<unsigned char>(block.front());
    const bool index = (byte & 0x80U) != 0;
    const bool literal_to_index = (byte & 0xC0U) == 0x40U;
    const bool table_size = (byte & 0xE0U) == 0x20U;
    std::size_t number = 0;
    std::size_t at = skip_integer(block, 0, index ? 7 : literal_to_index ? 6 : table_size ? 5 : 4, number);
    if (!index && !table_size && at != std::string_view::npos) {
        at = number == 0 ? skip_string(block, at) : at;  // The name.
        at = at == std::string_view::npos ? at : skip_string(block, at);
    }
    return {
        at == std::string_view::npos ? std::string_view() : block.substr(0, at),
        literal_to_index || table_size, table_size};
}

// More fields than any push has.
constexpr std::size_t most_memories = 32;

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

/// True if the field is one that HTTP/2 allows, wherever it stands.
bool is_sound(std::string_view name, std::string_view value) noexcept {
    if (!is_plain(value)) {
        return false;
    }
    if (!name.empty() && name.front() == ':') {
        return name != ":path" || !value.empty();
    }
    return nghttp2_check_header_name(reinterpret_cast<const std::uint8_t*>(name.data()), name.size()) != 0 &&
           !belongs_to_http1(name, value);
}

}  // namespace

header_reader::header_reader() {
    nghttp2_hd_inflater* raw = nullptr;
    nghttp2_hd_inflate_new(&raw);
    inflater_.reset(raw);
}

header_reader::block header_reader::read(std::string_view bytes, bool trailers, header_sink& sink) noexcept {
    progress state{{}, sink, trailers};
    for (std::size_t place = 0; !bytes.empty() && state.found.worth != verdict::broken; ++place) {
        const representation next = first_of(bytes);
        // A new size of the table is for the beginning of a block alone.
        if (next.raw.empty() || (next.resizes_table && state.fields)) {
            state.found.worth = verdict::broken;
            break;
        }
        bytes.remove_prefix(next.raw.size());
        state.fields = state.fields || !next.resizes_table;
        if (next.changes_table) {
            inflate(next.raw, false, state, nullptr);
            memories_.clear();
            continue;
        }
        if (place >= memories_.size() && place < most_memories) {
            memories_.resize(place + 1);
        }
        memory* const known = place < memories_.size() ? &memories_[place] : nullptr;
        if (known != nullptr && known->raw == next.raw) {
            place_field(known->name, known->value, state);
            sink.on_field(known->name, known->value);
        } else {
            inflate(next.raw, false, state, known);
        }
    }
    if (state.found.worth != verdict::broken) {
        inflate({}, true, state, nullptr);
        nghttp2_hd_inflate_end_headers(inflater_.get());
    }
    const bool complete = trailers || (state.method && state.scheme && state.path);
    if (state.found.worth == verdict::good && !complete) {
        state.found.worth = verdict::malformed;
    }
    return state.found;
}

/// Has nghttp2 decode one field, or (`last`) notice the end of the block.
void header_reader::inflate(std::string_view raw, bool last, progress& state, memory* keep) noexcept {
    const auto* at = reinterpret_cast<const std::uint8_t*>(raw.data());
    const auto* const end = at + raw.size();
    do {
        nghttp2_nv found{};
        int flags = NGHTTP2_HD_INFLATE_NONE;
        const ssize_t used = nghttp2_hd_inflate_hd2(
            inflater_.get(), &found, &flags, at, static_cast<std::size_t>(end - at), last ? 1 : 0);
        if (used < 0) {
            state.found.worth = verdict::broken;
            return;
        }
        at += used;
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
            const auto name = text_of(found.name, found.namelen);
            const auto value = text_of(found.value, found.valuelen);
            const bool sound = is_sound(name, value);
            if (!sound) {
                state.found.worth = verdict::malformed;
            }
            place_field(name, value, state);
            state.sink.on_field(name, value);
            if (keep != nullptr && sound) {
                keep->raw = raw;
                keep->name = name;
                keep->value = value;
            }
        }
    } while (at != end);
}

/// What the field means for the block: pseudo-headers come first, and each of them once.
void header_reader::place_field(std::string_view name, std::string_view value, progress& state) noexcept {
    if (name.empty() || name.front() != ':') {
        state.regular = true;
        if (name == "content-length") {
            std::uint64_t length = 0;
            const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), length);
            if (failed != std::errc() || end != value.data() + value.size() || state.found.content_length) {
                state.found.worth = verdict::malformed;
            }
            state.found.content_length = length;
        }
        return;
    }
    bool* seen = name == ":path"        ? &state.path
                 : name == ":method"    ? &state.method
                 : name == ":scheme"    ? &state.scheme
                 : name == ":authority" ? &state.authority
                                        : nullptr;
    if (seen == nullptr || *seen || state.regular || state.trailers) {
        state.found.worth = verdict::malformed;
        return;
    }
    *seen = true;
}

}  // namespace tocsin::sim
