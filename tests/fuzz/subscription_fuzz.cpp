#include "engine/core/text.hpp"
#include "engine/event/device_token.hpp"
#include "engine/event/subscription.hpp"
#include "providers/webpush/encryption.hpp"
#include "providers/webpush/push_services.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <array>
#include <string>

// Lines: the endpoint, p256dh, auth.

using namespace tocsin;

namespace {

std::string_view line(std::string_view& from) {
    const std::size_t end = std::min(from.find('\n'), from.size());
    const std::string_view out = from.substr(0, end);
    from.remove_prefix(std::min(end + 1, from.size()));
    return out;
}

void read_endpoint(std::string_view endpoint) {
    const auto fine = check_endpoint(endpoint, "endpoint");
    if (!fine) {
        fuzz::require(is_utf8(fine.error().message) && fine.error().message.size() < 200);
        return;
    }
    fuzz::require(endpoint.size() <= max_endpoint);
    // It becomes a header field as it is.
    fuzz::require(std::ranges::all_of(endpoint, [](char c) { return c > ' ' && c <= '~'; }));
    const auto parts = split_endpoint(endpoint);
    fuzz::require(parts.has_value() && !parts->authority.empty() && parts->path.starts_with('/'));
    fuzz::require(parts->authority.find_first_of("@[]#?%") == std::string_view::npos);
    const std::string origin = origin_of_endpoint(endpoint);
    fuzz::require(origin.starts_with("https://") && !origin.ends_with(":443"));
    fuzz::require(std::ranges::none_of(origin, [](char c) { return c >= 'A' && c <= 'Z'; }));
    const bool known = is_known_push_service(origin);
    fuzz::require(known == check_push_service(endpoint, {}).has_value());
    fuzz::require(!known || origin.find(':', 8) == std::string::npos);
}

void read_keys(std::string_view p256dh, std::string_view auth) {
    static webpush::encryptor cipher = webpush::encryptor::create().value();
    const auto keys = read_subscription_keys(p256dh, auth);
    if (!keys) {
        fuzz::require(is_utf8(keys.error().message) && keys.error().message.size() < 200);
        return;
    }
    fuzz::require(keys->size() == subscription_keys_size);
    fuzz::require(read_subscription_keys(written_p256dh(*keys), written_auth(*keys)).value() == *keys);
    // Whatever was taken can be encrypted for.
    std::array<unsigned char, webpush::largest_body> body{};
    fuzz::require(cipher.encrypt(*keys, "text", body).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = fuzz::text_of(data, size);
    read_endpoint(line(rest));
    const std::string_view p256dh = line(rest);
    read_keys(p256dh, line(rest));
    return 0;
}
