#pragma once

#include <string>

namespace tocsin {

/// Whether one peer could be reached the way the engine would reach it.
struct handshake_report {
    std::string peer;            ///< "mairies/fcm https://fcm.googleapis.com"
    std::string problem;         ///< Empty if it worked.
    bool configuration = false;  ///< It was reached, and will not help before somebody corrects something.
    bool harmless = false;       ///< It works nevertheless: a warning.
};

}  // namespace tocsin
