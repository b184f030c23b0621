#include "providers/common/bounded_json.hpp"

#include <boost/json/parser.hpp>

#include <exception>

namespace tocsin {

const boost::json::value* bounded_json::parse(std::string_view text) noexcept {
    namespace json = boost::json;
    try {
        json::parse_options options;
        options.max_depth = deepest;
        json::static_resource temporary(scratch_.data(), scratch_.size());
        json::parser parser(&temporary, options);
        parser.reset(&resource_);
        boost::system::error_code ec;
        parser.write(text.data(), text.size(), ec);
        if (ec) {
            return nullptr;
        }
        value_.emplace(parser.release());
        return &*value_;
    } catch (const std::exception&) {
        // Out of the fixed memory: nothing a provider sends on purpose is that large.
        return nullptr;
    }
}

}  // namespace tocsin
