#pragma once

#include <boost/json/array.hpp>

#include <string_view>

namespace tocsin::sim {

/// What stands on the screen of a device that got these requests (as GET /received has them, newest first),
/// newest first: `tag`, `title`, `body`. As a phone or a browser does, a notification replaces an earlier one
/// of the same collapse id (APNs) or tag (FCM, Web Push), and one without adds itself; what was refused, and
/// what has nothing to show, is not there.
[[nodiscard]] boost::json::array screen_of(const boost::json::array& received, std::string_view token);

}  // namespace tocsin::sim
