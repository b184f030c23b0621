#include "engine/redis/reply_reader.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <cstdint>

// One byte says how the rest is cut into pieces: the same replies must come of it however it arrives.

using namespace tocsin;

namespace {

struct summary {
    std::size_t replies = 0;
    std::uint64_t digest = 14'695'981'039'346'656'037U;
    bool failed = false;

    friend bool operator==(const summary&, const summary&) = default;
};

void mix(summary& into, std::uint64_t value) {
    into.digest = (into.digest ^ value) * 1'099'511'628'211U;
}

// Visits every element, as the product does: a view that points nowhere shows under a sanitizer.
void visit(summary& into, const redis::reply& one) {
    mix(into, static_cast<std::uint64_t>(one.type()));
    mix(into, static_cast<std::uint64_t>(one.integer().value_or(0)));
    for (const char c : one.text()) {
        mix(into, static_cast<unsigned char>(c));
    }
    for (std::size_t i = 0; i < one.size(); ++i) {
        visit(into, one[i]);
    }
}

summary read(std::string_view bytes, std::size_t step) {
    redis::reply_reader reader;
    redis::replies all;
    summary out;
    while (!bytes.empty() && !out.failed) {
        reader.feed(bytes.substr(0, step));
        bytes.remove_prefix(std::min(step, bytes.size()));
        for (;;) {
            const auto done = reader.next(all);
            out.failed = done.has_error();
            if (out.failed || *done == redis::reply_reader::progress::more_bytes) {
                break;
            }
            ++out.replies;
        }
    }
    // A reply that is not complete stands there too, and is not for use; nor is any after an error.
    for (std::size_t i = 0; !out.failed && i < out.replies; ++i) {
        visit(out, all[i]);
    }
    return out.failed ? summary{0, 0, true} : out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::choices given(fuzz::text_of(data, size));
    const std::size_t step = 1U + given.byte();
    const std::string_view bytes = given.rest();
    fuzz::require(read(bytes, redis::reply_reader::chunk_size) == read(bytes, step));
    return 0;
}
