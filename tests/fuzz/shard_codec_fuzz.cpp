#include "engine/audience/audience.hpp"
#include "engine/plan/deferral.hpp"
#include "engine/plan/shard.hpp"
#include "engine/plan/timetable.hpp"
#include "tests/fuzz/fuzz.hpp"

// Runs of buckets, parked devices, audiences, moments and whom an event reached, as they stand in Redis.

using namespace tocsin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::choices given(fuzz::text_of(data, size));
    const std::uint8_t kind = given.byte() % 6;
    const std::string_view bytes = given.rest();
    if (kind == 0) {
        if (const auto runs = decode_runs(bytes)) {
            const auto again = decode_runs(encode_runs(*runs));
            fuzz::require(again.has_value() && *again == *runs);
        }
    } else if (kind == 1) {
        if (const auto devices = decode_listed(bytes)) {
            std::string written;
            for (const listed_device& each : *devices) {
                written += encode_listed(each);
            }
            const auto again = decode_listed(written);
            fuzz::require(again.has_value() && *again == *devices);
        }
    } else if (kind == 3) {
        if (const auto devices = decode_hashed(bytes)) {
            const auto again = decode_hashed(encode_hashed(*devices));
            fuzz::require(again.has_value() && *again == *devices);
        }
    } else if (kind == 4) {
        const timetable when = timetable::decode(bytes);
        fuzz::require(timetable::decode(when.encode()) == when);
        static_cast<void>(when.due(7));
        static_cast<void>(when.span_of(7));
    } else if (kind == 5) {
        const auto held = read_deferrals(bytes);
        fuzz::require(read_deferrals(write_deferrals(held)) == held);
    } else {
        const auto whom = audience::decode(bytes);
        if (whom.has_error()) {
            fuzz::require(!whom.error().message.empty());
        } else {
            const auto again = audience::decode(whom->encode());
            fuzz::require(again.has_value() && *again == *whom);
        }
    }
    return 0;
}
