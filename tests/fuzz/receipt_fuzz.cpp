#include "engine/core/text.hpp"
#include "engine/event/receipt.hpp"
#include "tests/fuzz/fuzz.hpp"

// A document is a receipt, which can be written and read again, or a refusal with a sentence.

using namespace tocsin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto told = parse_receipt(fuzz::text_of(data, size));
    if (told.has_error()) {
        fuzz::require(!told.error().code.empty() && !told.error().message.empty());
        fuzz::require(told.error().message.size() <= 400 && is_utf8(told.error().message));
        return 0;
    }
    fuzz::require(!told->counts.empty());
    const auto again = parse_receipt(to_json(*told));
    fuzz::require(again.has_value() && *again == *told);
    return 0;
}
