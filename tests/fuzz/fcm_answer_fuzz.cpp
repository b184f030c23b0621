#include "providers/common/web_page.hpp"
#include "providers/fcm/judgement.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

// Two bytes of status, one of attempts, one of what is known besides, a line that is the Retry-After
// field, and the body.

using namespace tocsin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::choices given(fuzz::text_of(data, size));
    fcm::answer said;
    said.status = given.byte() * 256;
    said.status += given.byte();
    const std::uint32_t attempts = given.byte();
    const std::uint8_t known = given.byte();
    fcm::surroundings around;
    around.project_works = (known & 1U) != 0;
    around.message_accepted = (known & 2U) != 0;
    const std::string_view rest = given.rest();
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    said.retry_after = rest.substr(0, end);
    said.body = rest.substr(std::min(end + 1, rest.size()));
    const fcm::judgement judged(
        said, around, attempts, wall_time(std::chrono::milliseconds(1'795'413'540'000)));
    const verdict& what = judged.what();

    fuzz::require(what.reason.size() <= 64 && std::ranges::all_of(what.reason, [](unsigned char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             c == '_' || c == '.' || c == '-';
                  }));
    const bool page = is_web_page(said.body);
    fuzz::require((what.action == reaction::accept) == (said.status >= 200 && said.status <= 299 && !page));
    fuzz::require(std::ranges::all_of(judged.sentence(), [](char c) { return c >= ' ' && c <= '~'; }));
    // Front ends answer in HTML: what is not JSON removes nobody.
    fuzz::require(what.action != reaction::drop_token || said.body.find('{') != std::string_view::npos);
    const bool least_interval = what.retry_after && *what.retry_after >= std::chrono::seconds(10);
    fuzz::require(!what.retry_after || least_interval);
    return 0;
}
