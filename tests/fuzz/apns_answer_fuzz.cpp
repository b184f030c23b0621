#include "providers/apns/judgement.hpp"
#include "providers/common/web_page.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

// Two bytes of status, one of attempts, a line that is the Retry-After field, and the body.

using namespace tocsin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::choices given(fuzz::text_of(data, size));
    apns::answer said;
    said.status = given.byte() * 256;
    said.status += given.byte();
    const std::uint32_t attempts = given.byte();
    const std::string_view rest = given.rest();
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    said.retry_after = rest.substr(0, end);
    said.body = rest.substr(std::min(end + 1, rest.size()));
    const apns::judgement judged(said, attempts, wall_time(std::chrono::milliseconds(1'795'413'540'000)));
    const verdict& what = judged.what();

    fuzz::require(what.reason.size() <= 64 && std::ranges::all_of(what.reason, [](unsigned char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             c == '_' || c == '.' || c == '-';
                  }));
    // No body makes a success of a refusal, or a refusal of a success; but a page is none of the provider's.
    const bool page = is_web_page(said.body);
    fuzz::require((what.action == reaction::accept) == (said.status >= 200 && said.status <= 299 && !page));
    // A device is removed for nothing but Apple's own statuses for it.
    fuzz::require(what.action != reaction::drop_token || (said.status == 410 && what.dead_since));
    fuzz::require(!what.retry_after || what.retry_after->count() >= 0);
    return 0;
}
