#include "engine/ops/admin_message.hpp"

#include "engine/ops/utf8_repair.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/url/encoding_opts.hpp>
#include <boost/url/pct_string_view.hpp>

#include <algorithm>
#include <cstddef>

namespace tocsin {
namespace {

/// Percent-decoded, with spaces for plus signs; empty if malformed.
std::optional<std::string> form_decoded(std::string_view text) {
    const auto encoded =
        boost::urls::make_pct_string_view(boost::core::string_view(text.data(), text.size()));
    if (!encoded) {
        return std::nullopt;
    }
    boost::urls::encoding_opts form;
    form.space_as_plus = true;
    return encoded->decode(form);
}

}  // namespace

std::optional<std::string> admin_request::parameter(std::string_view name) const {
    // Not with parse_query(): that of Boost 1.81 reads past the end of its view, up to a zero byte.
    for (std::string_view left = query; !left.empty();) {
        const std::string_view pair = left.substr(0, left.find('&'));
        left.remove_prefix(std::min(pair.size() + 1, left.size()));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        if (form_decoded(pair.substr(0, equals)) == name) {
            return form_decoded(pair.substr(std::min(equals + 1, pair.size())));
        }
    }
    return std::nullopt;
}

admin_response admin_error(unsigned status, std::string_view message) {
    const boost::json::object body{{"error", repaired_utf8(message)}};
    return {
        .status = status, .content_type = "application/json", .body = boost::json::serialize(body) + "\n"};
}

}  // namespace tocsin
