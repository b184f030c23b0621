#pragma once

#include <string>
#include <string_view>

namespace tocsin::cli {

/// `text`, which somebody else wrote, with every device token in it shortened: what a "token" or "fid"
/// member holds, what follows "device:apns:" or "device:fcm:", and every word that is long enough to be a
/// token in the wrong place (32 hexadecimal digits, or 40 of the characters of an FCM token).
///
/// It need not be JSON, nor well-formed: what was refused often is not. What is JSON stays JSON.
[[nodiscard]] std::string shorten_tokens(std::string_view text);

}  // namespace tocsin::cli
