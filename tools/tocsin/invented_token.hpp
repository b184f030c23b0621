#pragma once

#include <random>
#include <string>

namespace tocsin::cli {

/// A token as APNs gives them today: 32 bytes, as stored (not in hex).
[[nodiscard]] std::string invented_apns_token(std::mt19937_64& random);

/// A token of the form and length of FCM's: 22 characters, a colon, and 140 more that begin with "APA91b".
[[nodiscard]] std::string invented_fcm_token(std::mt19937_64& random);

}  // namespace tocsin::cli
