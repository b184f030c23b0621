#include "providers/common/web_page.hpp"

namespace tocsin {

bool is_web_page(std::string_view body) noexcept {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (body.starts_with(byte_order_mark)) {
        body.remove_prefix(byte_order_mark.size());
    }
    // Compressed (RFC 1952), which no request of ours asks for, and no provider does unasked.
    if (body.starts_with("\x1F\x8B")) {
        return true;
    }
    const auto first = body.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && body[first] == '<';
}

}  // namespace tocsin
