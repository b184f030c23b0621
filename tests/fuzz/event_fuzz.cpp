#include "engine/core/text.hpp"
#include "engine/event/event_parser.hpp"
#include "engine/event/event_writer.hpp"
#include "providers/known_platforms.hpp"
#include "tests/fuzz/fuzz.hpp"

// A document is an event, which can be written and read again, or a refusal with a sentence.

using namespace tocsin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr wall_time now{std::chrono::milliseconds(1'795'413'540'000)};
    constexpr std::string_view entry = "1795413539000-0";
    const auto event = parse_event(known_platforms(), fuzz::text_of(data, size), entry, event_limits{}, now);
    if (event.has_error()) {
        fuzz::require(!event.error().code.empty() && !event.error().message.empty());
        fuzz::require(event.error().message.size() <= 400 && is_utf8(event.error().message));
        return 0;
    }
    const auto again = parse_event(known_platforms(), to_json(*event), entry, event_limits{}, now);
    fuzz::require(again.has_value() && *again == *event);
    return 0;
}
