#include "providers/common/retry_after.hpp"
#include "tests/fuzz/fuzz.hpp"

// A peer's header must neither stop an app for good nor make it hurry.

using namespace tocsin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr wall_time now{std::chrono::milliseconds(1'795'413'540'000)};
    const std::string_view text = fuzz::text_of(data, size);
    for (const auto& pause : {parse_retry_after(text, now), parse_proto_duration(text)}) {
        fuzz::require(!pause || (pause->count() >= 0 && *pause <= std::chrono::minutes(15)));
    }
    return 0;
}
