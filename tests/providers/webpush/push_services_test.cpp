#include "providers/webpush/push_services.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(PushServicesTest, OnlyKnownAndListedServicesAreSentTo) {
    const std::vector<std::string> listed{"https://push.example.org:8443"};
    for (const char* const fine :
         {"https://fcm.googleapis.com/fcm/send/x", "https://updates.push.services.mozilla.com/wpush/v2/x",
          "https://web.push.apple.com/x", "https://wns2-par02p.notify.windows.com/w/?token=x",
          "https://push.example.org:8443/x", "https://PUSH.example.org:8443/x"}) {
        EXPECT_TRUE(check_push_service(fine, listed)) << fine;
    }
    for (const char* const bad :
         {"https://push.example.org/x", "https://push.example.org:8444/x",
          "https://fcm.googleapis.com:8443/x", "https://evil-fcm.googleapis.com/x",
          "https://fcm.googleapis.com.evil.org/x", "https://push.apple.com/x", "https://evilpush.apple.com/x",
          "https://notify.windows.com/x", "https://localhost/x", "https://x.notify.windows.com:444/x"}) {
        const auto refused = check_push_service(bad, listed);
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().code, "unknown_push_service") << bad;
    }
}

}  // namespace
}  // namespace tocsin
