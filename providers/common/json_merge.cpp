#include "providers/common/json_merge.hpp"

#include <boost/json/value.hpp>

namespace tocsin {

void merge_json(boost::json::object& target, const boost::json::object& patch) {
    for (const auto& entry : patch) {
        if (entry.value().is_null()) {
            target.erase(entry.key());
            continue;
        }
        if (!entry.value().is_object()) {
            target.insert_or_assign(entry.key(), entry.value());
            continue;
        }
        auto* present = target.if_contains(entry.key());
        if (present == nullptr || !present->is_object()) {
            // Merged into an empty object, not copied: nulls deeper down must not survive.
            present = &target.insert_or_assign(entry.key(), boost::json::object()).first->value();
        }
        merge_json(present->get_object(), entry.value().get_object());
    }
}

}  // namespace tocsin
