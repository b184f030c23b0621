#include "engine/core/text.hpp"
#include "engine/event/registration.hpp"
#include "providers/known_platforms.hpp"
#include "tests/fuzz/fuzz.hpp"

// A document is a registration, which can be written and read again, or a refusal with a sentence.

using namespace tocsin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr wall_time now{std::chrono::milliseconds(1'795'413'540'000)};
    const auto device = parse_registration(known_platforms(), fuzz::text_of(data, size), now);
    if (device.has_error()) {
        fuzz::require(!device.error().code.empty() && !device.error().message.empty());
        fuzz::require(device.error().message.size() <= 400 && is_utf8(device.error().message));
        return 0;
    }
    const auto again = parse_registration(known_platforms(), to_json(known_platforms(), *device), now);
    fuzz::require(again.has_value() && *again == *device);
    return 0;
}
