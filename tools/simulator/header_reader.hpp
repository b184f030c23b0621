#pragma once

#include "engine/core/c_handle.hpp"

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::sim {

/// Told the fields of a request, in order.
class header_sink {
public:
    virtual void on_field(std::string_view name, std::string_view value) noexcept = 0;

protected:
    ~header_sink() = default;  // Never deleted through this interface.
};

/// Reads the header blocks of one connection: HPACK, and what HTTP/2 asks of every request whatever its
/// meaning (RFC 9113, sections 8.2 and 8.3).
class header_reader {
public:
    enum class verdict : std::uint8_t {
        good,
        malformed,  ///< A stream error: the request is not one.
        broken,     ///< A connection error: HPACK's table is lost.
    };
    struct block {
        verdict worth = verdict::good;
        std::optional<std::uint64_t> content_length;
    };

    header_reader();

    /// Reads a complete block. `trailers`: it ends a request instead of beginning one.
    [[nodiscard]] block read(std::string_view bytes, bool trailers, header_sink& sink) noexcept;

    /// The client has acknowledged another SETTINGS_HEADER_TABLE_SIZE.
    void change_table_size(std::uint32_t bytes) noexcept {
        nghttp2_hd_inflate_change_table_size(inflater_.get(), bytes);
        memories_.clear();  // Entries may have gone.
    }

private:
    /// What was seen of a block so far.
    struct progress {
        block found;
        header_sink& sink;
        bool trailers = false;
        bool fields = false;   ///< A field of whatever kind.
        bool regular = false;  ///< A field that is no pseudo-header: none may follow.
        bool method = false;
        bool scheme = false;
        bool path = false;
        bool authority = false;
    };
    /// A field as it was sent, and what it meant.
    struct memory {
        std::string raw;
        std::string name;
        std::string value;
    };

    void inflate(std::string_view raw, bool last, progress& state, memory* keep) noexcept;
    static void place_field(std::string_view name, std::string_view value, progress& state) noexcept;

    c_handle<nghttp2_hd_inflater, nghttp2_hd_inflate_del> inflater_;

    // Clients send the same fields in the same order again and again, most of them as the very same bytes.
    // A field that does not change HPACK's table (an index, or a literal that is not to be indexed) means
    // what it meant the last time for as long as no other field changes it: no need to decode a bearer of
    // a thousand characters once more. By place in the block.
    std::vector<memory> memories_;
};

}  // namespace tocsin::sim
