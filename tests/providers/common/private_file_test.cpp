#include "engine/core/private_file.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

namespace tocsin {
namespace {

class PrivateFileTest : public ::testing::Test {
protected:
    PrivateFileTest() {
        std::string pattern = ::testing::TempDir() + "private_file_XXXXXX";
        folder = ::mkdtemp(pattern.data());
        path = folder / "key.pem";
        std::ofstream(path) << "secret";
    }
    ~PrivateFileTest() override { std::filesystem::remove_all(folder); }

    void mode(mode_t bits) const { ASSERT_EQ(::chmod(path.c_str(), bits), 0); }

    std::filesystem::path folder;
    std::filesystem::path path;
};

TEST_F(PrivateFileTest, OfItsOwnerAloneIsRead) {
    for (const mode_t bits : {0600U, 0400U}) {
        mode(bits);
        EXPECT_TRUE(check_private_file(path).has_value());
        ASSERT_TRUE(read_private_file(path).has_value());
        EXPECT_EQ(*read_private_file(path), "secret");
    }
}

TEST_F(PrivateFileTest, ThatOthersCanUseIsRefused) {
    for (const mode_t bits : {0640U, 0604U, 0644U, 0620U, 0602U}) {
        mode(bits);
        const auto checked = check_private_file(path);
        ASSERT_TRUE(checked.has_error());
        EXPECT_EQ(checked.error().code, "not_private");
        EXPECT_NE(checked.error().message.find("chmod 600 " + path.string()), std::string::npos);
        EXPECT_TRUE(read_private_file(path).has_error());
    }
}

TEST_F(PrivateFileTest, ThroughALinkIsJudgedByWhatItPointsAt) {
    mode(0600);
    const auto link = folder / "link";
    std::filesystem::create_symlink(path, link);
    EXPECT_TRUE(check_private_file(link).has_value());
    mode(0644);
    EXPECT_TRUE(check_private_file(link).has_error());
}

TEST_F(PrivateFileTest, ThatIsNoFileIsRefusedWithoutWaiting) {
    EXPECT_EQ(check_private_file(folder).error().code, "not_a_file");
    EXPECT_EQ(check_private_file(folder / "absent").error().code, "unreadable");
    const auto pipe = folder / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_EQ(check_private_file(pipe).error().code, "not_a_file");
}

TEST_F(PrivateFileTest, ThatIsNoKeyBySizeIsRefused) {
    mode(0600);
    std::filesystem::resize_file(path, (std::size_t{1} << 20U) + 1);
    EXPECT_EQ(read_private_file(path).error().code, "too_large");
}

}  // namespace
}  // namespace tocsin
