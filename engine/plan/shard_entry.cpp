#include "engine/plan/shard_entry.hpp"

#include <charconv>
#include <utility>

namespace tocsin {
namespace {

std::optional<shard> read_shard(std::string_view page, std::string_view kind, std::string_view bytes) {
    shard out;
    const char* const end = page.data() + page.size();
    if (const auto read = std::from_chars(page.data(), end, out.first_page);
        read.ec != std::errc() || read.ptr != end) {
        return std::nullopt;
    }
    const auto take = [](auto& into, auto decoded) {
        if (decoded) {
            into = std::move(*decoded);
        }
        return decoded.has_value();
    };
    const bool sound = kind == "runs"      ? take(out.runs, decode_runs(bytes))
                       : kind == "devices" ? take(out.devices, decode_listed(bytes))
                       : kind == "hashes"  ? take(out.hashed, decode_hashed(bytes))
                                           : false;
    return sound ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

std::optional<shard> parse_shard(const redis::reply& fields) {
    const auto page = fields.field("page");
    for (const std::string_view kind : {"runs", "devices", "hashes"}) {
        if (const auto bytes = page ? fields.field(kind) : std::nullopt) {
            return read_shard(page->text(), kind, bytes->text());
        }
    }
    return std::nullopt;
}

std::optional<shard> parse_waiting_shard(std::string_view member) {
    const std::size_t first = member.find(':');
    const std::size_t second = first == member.npos ? first : member.find(':', first + 1);
    if (second == member.npos) {
        return std::nullopt;
    }
    return read_shard(
        member.substr(0, first), member.substr(first + 1, second - first - 1), member.substr(second + 1));
}

std::pair<std::string_view, std::string> written(const shard& piece) {
    if (!piece.hashed.empty()) {
        return {"hashes", encode_hashed(piece.hashed)};
    }
    if (piece.devices.empty()) {
        return {"runs", encode_runs(piece.runs)};
    }
    std::string bytes;
    for (const listed_device& device : piece.devices) {
        bytes += encode_listed(device);
    }
    return {"devices", std::move(bytes)};
}

}  // namespace tocsin
