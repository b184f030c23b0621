#include "engine/audience/short_endpoint.hpp"

#include <algorithm>

namespace tocsin {
namespace {

/// `before`, then, if there is an `after`, a name up to the path, then that.
struct beginning {
    std::string_view before;
    std::string_view after;
};

// A byte is the place in this table, from 1 on; first match counts. They stand in Redis, so they keep their
// meaning. One that is added for endpoints which others match today changes how these are written: who
// removes a dead device compares what is stored with what would be written now, and would find another.
constexpr auto beginnings = std::to_array<beginning>({
    {"https://fcm.googleapis.com/fcm/send/", ""},
    {"https://fcm.googleapis.com/wp/", ""},
    {"https://fcm.googleapis.com/", ""},
    {"https://updates.push.services.mozilla.com/wpush/v2/", ""},
    {"https://updates.push.services.mozilla.com/wpush/v1/", ""},
    {"https://updates.push.services.mozilla.com/", ""},
    {"https://web.push.apple.com/", ""},
    {"https://", ".push.apple.com"},
    {"https://", ".notify.windows.com"},
    {"https://", ""},
    {"", ""},
});
static_assert(beginnings.size() < 32);

/// Where the path begins; what is no URL may have none.
std::size_t end_of_host(std::string_view text) noexcept {
    return std::min(text.find('/'), text.size());
}

}  // namespace

std::size_t endpoint_pieces::size() const noexcept {
    std::size_t out = 0;
    for (const std::string_view piece : of) {
        out += piece.size();
    }
    return out;
}

std::string endpoint_pieces::whole() const {
    std::string out;
    out.reserve(size());
    for (const std::string_view piece : of) {
        out += piece;
    }
    return out;
}

std::string shortened_endpoint(std::string_view endpoint) {
    std::string out(1, '\0');
    for (const beginning& one : beginnings) {
        ++out[0];
        if (!endpoint.starts_with(one.before)) {
            continue;
        }
        const std::string_view rest = endpoint.substr(one.before.size());
        const std::string_view host = rest.substr(0, end_of_host(rest));
        if (host.ends_with(one.after)) {
            out += host.substr(0, host.size() - one.after.size());
            out += rest.substr(host.size());
            break;
        }
    }
    return out;
}

std::optional<endpoint_pieces> lengthened_endpoint(std::string_view shortened) noexcept {
    if (shortened.empty()) {
        return std::nullopt;
    }
    const auto code = static_cast<unsigned char>(shortened.front());
    if (code == 0 || code > beginnings.size()) {
        return std::nullopt;
    }
    const beginning& how = beginnings[code - 1U];
    shortened.remove_prefix(1);
    const std::size_t name = how.after.empty() ? 0 : end_of_host(shortened);
    return endpoint_pieces{{how.before, shortened.substr(0, name), how.after, shortened.substr(name)}};
}

}  // namespace tocsin
