#include "providers/common/web_page.hpp"
#include "providers/webpush/answers.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

// Two bytes of status, a line that is the Retry-After field, and the body.

using namespace tocsin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::choices given(fuzz::text_of(data, size));
    webpush::answer said;
    said.status = given.byte() * 256;
    said.status += given.byte();
    const std::string_view rest = given.rest();
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    said.retry_after = rest.substr(0, end);
    said.body = rest.substr(std::min(end + 1, rest.size()));
    webpush::judgement judged(said, wall_time(std::chrono::milliseconds(1'795'413'540'000)));
    const verdict& what = judged.what();

    fuzz::require(what.reason.size() <= 64 && std::ranges::all_of(what.reason, [](unsigned char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             c == '_' || c == '.' || c == '-';
                  }));
    // Google's old service said it in a page.
    const bool page = is_web_page(said.body) && said.body.find("NotRegistered") == std::string_view::npos;
    fuzz::require((what.action == reaction::accept) == (said.status >= 200 && said.status <= 299 && !page));
    // Nobody is removed but by these two numbers, whatever the body says, if it is not somebody else's page.
    fuzz::require(
        (what.action == reaction::drop_token) == ((said.status == 404 || said.status == 410) && !page));
    fuzz::require(what.of_one_service);
    fuzz::require(!what.retry_after || what.action == reaction::retry_here);
    fuzz::require(!webpush::explain(what.status, what.reason).empty());
    return 0;
}
