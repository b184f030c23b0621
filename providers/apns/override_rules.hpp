#pragma once

#include "engine/core/error.hpp"
#include "providers/apns/message.hpp"
#include "providers/apns/push_type.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string_view>

namespace tocsin::apns {

/// Where in an event the two are that the rules are about; a refusal begins with it.
struct override_paths {
    std::string_view headers = "apns.headers";
    std::string_view aps = "apns.aps";
};

/// What APNs would refuse, delay or drop in silence, for whoever sends to it: FCM hands its `apns` on as it
/// is. All refuse as "invalid_override".

/// Puts the header fields of `given` in the place of those in `headers`.
[[nodiscard]] parsed<> override_headers(
    shared_headers& headers, const boost::json::value& given, const override_paths& at);

/// `type` is that of the headers; null if there is none of this name. An empty field is one that is not sent.
[[nodiscard]] parsed<> check_headers(
    const shared_headers& headers, const push_type* type, bool uses_certificate, const override_paths& at);

/// `type` is null where the headers name none. `shown_beside`: the device shows something that aps does not
/// hold.
[[nodiscard]] parsed<> check_aps(
    const boost::json::object& aps, const push_type* type, bool shown_beside, const override_paths& at);

}  // namespace tocsin::apns
