#include "providers/common/json_check.hpp"

#include <boost/json/object.hpp>

namespace tocsin {

std::string find_null(const boost::json::value& value, const std::string& path) {
    if (value.is_null()) {
        return path;
    }
    if (const auto* const list = value.if_array()) {
        for (std::size_t i = 0; i < list->size(); ++i) {
            if (std::string found = find_null((*list)[i], path + "[" + std::to_string(i) + "]");
                !found.empty()) {
                return found;
            }
        }
    }
    if (const auto* const object = value.if_object()) {
        for (const auto& entry : *object) {
            std::string inner =
                path.empty() ? std::string(entry.key()) : path + "." + std::string(entry.key());
            if (std::string found = find_null(entry.value(), inner); !found.empty()) {
                return found;
            }
        }
    }
    return {};
}

}  // namespace tocsin
