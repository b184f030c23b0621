#include "engine/ops/sd_notify.hpp"

#include "tests/engine/ops/temporary_folder.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tocsin {
namespace {

/// A datagram socket as the service manager has it.
class manager_socket {
public:
    explicit manager_socket(std::string name) : descriptor_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::ranges::copy(name, address.sun_path);
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        bound_ = ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size) == 0;
    }
    manager_socket(const manager_socket&) = delete;
    manager_socket& operator=(const manager_socket&) = delete;
    ~manager_socket() { ::close(descriptor_); }

    [[nodiscard]] bool bound() const noexcept { return bound_; }
    [[nodiscard]] std::string receive() const {
        std::array<char, 1024> buffer;
        const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        return count < 0 ? "(nothing)" : std::string(buffer.data(), static_cast<std::size_t>(count));
    }

private:
    int descriptor_;
    bool bound_ = false;
};

TEST(SdNotifyTest, TellsTheManagerOnItsSocket) {
    const testing::temporary_folder folder;
    const std::string path = (folder.path() / "notify").string();
    const manager_socket manager(path);
    ASSERT_TRUE(manager.bound());
    const sd_notifier notifier(path);
    EXPECT_TRUE(notifier.ready().has_value());
    EXPECT_EQ(manager.receive(), "READY=1");
    EXPECT_TRUE(notifier.reloading(time_point(std::chrono::microseconds(123'456))).has_value());
    EXPECT_EQ(manager.receive(), "RELOADING=1\nMONOTONIC_USEC=123456");
    EXPECT_TRUE(notifier.stopping().has_value());
    EXPECT_EQ(manager.receive(), "STOPPING=1");
}

TEST(SdNotifyTest, AtSignMeansAnAbstractSocket) {
    const std::string name = "tocsin-notify-test-" + std::to_string(::getpid());
    const manager_socket manager(std::string(1, '\0') + name);
    ASSERT_TRUE(manager.bound());
    EXPECT_TRUE(sd_notifier("@" + name).ready().has_value());
    EXPECT_EQ(manager.receive(), "READY=1");
}

TEST(SdNotifyTest, StatusCannotSmuggleAnAssignment) {
    const testing::temporary_folder folder;
    const std::string path = (folder.path() / "notify").string();
    const manager_socket manager(path);
    EXPECT_TRUE(sd_notifier(path).status("12 events\nMAINPID=1").has_value());
    EXPECT_EQ(manager.receive(), "STATUS=12 events MAINPID=1");
}

TEST(SdNotifyTest, WithoutAManagerNothingIsWrong) {
    EXPECT_TRUE(sd_notifier(std::nullopt).ready().has_value());
    EXPECT_TRUE(sd_notifier("").ready().has_value());
}

TEST(SdNotifyTest, SocketThatIsNotThereIsAnError) {
    const testing::temporary_folder folder;
    EXPECT_TRUE(sd_notifier((folder.path() / "absent").string()).ready().has_error());
    EXPECT_TRUE(sd_notifier("/" + std::string(200, 'x')).ready().has_error());
}

TEST(Watchdog, IsFedTwiceInTheTimeThatTheManagerAllows) {
    using namespace std::chrono_literals;
    EXPECT_EQ(watchdog_interval("30000000", std::nullopt, 7), 15s);
    EXPECT_EQ(watchdog_interval("30000000", "7", 7), 15s);
    EXPECT_EQ(watchdog_interval("30000000", "8", 7), std::nullopt) << "another process is meant";
    for (const char* const none : {"", "0", "-1", "soon", "30s"}) {
        EXPECT_EQ(watchdog_interval(none, std::nullopt, 7), std::nullopt) << none;
    }
    EXPECT_EQ(watchdog_interval(std::nullopt, std::nullopt, 7), std::nullopt);
}

}  // namespace
}  // namespace tocsin
