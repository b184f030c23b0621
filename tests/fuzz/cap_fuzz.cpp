#include "engine/core/text.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tools/cap/cap_event.hpp"
#include "tools/cap/cap_message.hpp"

// A file is a message, whose territories can be asked for, or a refusal that names a line.

using namespace tocsin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const territories places =
        territories::parse("insee,name,population,department,epci\n21231,Dijon,2500,21,242100410\n", "")
            .value();
    const auto message = read_cap(fuzz::text_of(data, size));
    if (message.has_error()) {
        fuzz::require(message.error().message.starts_with("line ") && !message.error().code.empty());
        fuzz::require(message.error().message.size() <= 600 && is_utf8(message.error().message));
        return 0;
    }
    const auto event = cap_event(*message, places, {{}, {}, cap_collapse_id(*message), {}});
    fuzz::require(event.has_value() || event.error().message.starts_with("line "));
    return 0;
}
