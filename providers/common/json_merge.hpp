#pragma once

#include <boost/json/object.hpp>

namespace tocsin {

/// Merges `patch` into `target` as RFC 7396 says: objects are merged, null removes, anything else
/// replaces.
void merge_json(boost::json::object& target, const boost::json::object& patch);

}  // namespace tocsin
