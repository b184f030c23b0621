#include "providers/common/web_page.hpp"

namespace tocsin {

bool is_web_page(std::string_view body) noexcept {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (body.starts_with(byte_order_mark)) {
        body.remove_prefix(byte_order_mark.size());
    }
    const auto at = body.find_first_not_of(" \t\r\n");
    if (at == std::string_view::npos) {
        return false;
    }
    // What no text in UTF-8 begins with is compressed: a request does not ask for that, and no provider does
    // it.
    const auto first = static_cast<unsigned char>(body[at]);
    return first == '<' || first < 0x20 || (first >= 0x7F && first < 0xC2) || first > 0xF4;
}

}  // namespace tocsin
