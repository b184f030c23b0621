#include "engine/core/private_file.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/xattr.h>
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

struct ownership {
    const char* what;
    file_access file;
    identity who;
    bool accepted;
};

TEST(PrivateFileOwnership, EveryWayThatAPlatformMountsASecretIsAcceptedAndNoOther) {
    using named = file_access::named;
    constexpr uid_t engine = 1500;
    constexpr gid_t group = 1600;
    const identity user{engine, {group, 1700}};
    const identity root{0, {0, group}};
    const std::vector<named> for_engine{{named::kind::user, engine, true, false}};
    const std::vector<ownership> cases{
        {"one's own", {engine, group, 0600}, user, true},
        {"one's own, read only", {engine, group, 0400}, user, true},
        {"one's own, for the group", {engine, group, 0640}, user, false},
        {"one's own, for the group, read only", {engine, group, 0440}, user, false},
        {"Kubernetes with fsGroup", {0, group, 0440}, user, true},
        {"a supplementary group", {0, 1700, 0440}, user, true},
        {"Debian's ssl-cert", {0, group, 0640}, user, true},
        {"another group", {0, 1601, 0440}, user, false},
        {"Kubernetes without defaultMode", {0, group, 0644}, user, false},
        {"written by the group", {0, group, 0660}, user, false},
        {"run by the group", {0, group, 0450}, user, false},
        {"Kubernetes, as root", {0, group, 0440}, root, true},
        {"root's own", {0, 0, 0600}, root, true},
        {"root's own, for a group", {0, 0, 0640}, root, false},
        {"a stranger's", {1501, group, 0600}, user, false},
        {"a stranger's, read by us", {1501, group, 0440}, user, false},
        {"a stranger's, as root", {1501, 1501, 0600}, root, false},
        {"systemd's LoadCredential", {0, 0, 0440, for_engine, true, false, false}, user, true},
        {"a list with another user",
         {0, 0, 0440, {{named::kind::user, 1501, true, false}}, true, false, false},
         user,
         false},
        {"a list with our group",
         {0, 0, 0440, {{named::kind::group, 1700, true, false}}, true, false, false},
         user,
         true},
        {"a list with another group",
         {0, 0, 0440, {{named::kind::group, 1701, true, false}}, true, false, false},
         user,
         false},
        {"a list that lets us write",
         {0, 0, 0460, {{named::kind::user, engine, true, true}}, true, false, false},
         user,
         false},
        {"a list whose owning group reads", {0, 1601, 0440, for_engine, true, true, false}, user, false},
        {"a list of one's own file",
         {engine, group, 0440, {{named::kind::user, 1501, true, false}}, true, false, false},
         user,
         false},
    };
    for (const ownership& one : cases) {
        const std::string why = objection_to(one.file, one.who, "/run/key");
        EXPECT_EQ(why.empty(), one.accepted) << one.what << ": " << why;
        if (!one.accepted) {
            EXPECT_NE(why.find("defaultMode"), std::string::npos) << why;
        }
    }
}

TEST_F(PrivateFileTest, OfAStrangerIsRefusedEvenIfItCanBeRead) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can give a file away";
    }
    mode(0600);
    ASSERT_EQ(::chown(path.c_str(), 12345, 12345), 0);
    const auto checked = check_private_file(path);
    ASSERT_TRUE(checked.has_error());
    EXPECT_NE(checked.error().message.find("user 12345"), std::string::npos) << checked.error().message;
}

TEST_F(PrivateFileTest, ItsAccessControlListCounts) {
    // Version 2; the owner reads, user 12345 reads, the group does not, mask r, others do not.
    constexpr std::array<std::uint32_t, 11> list{2,          0x00040001, 0xFFFFFFFF, 0x00040002,
                                                 12345,      0x00000004, 0xFFFFFFFF, 0x00040010,
                                                 0xFFFFFFFF, 0x00000020, 0xFFFFFFFF};
    if (::setxattr(path.c_str(), "system.posix_acl_access", list.data(), sizeof list, 0) != 0) {
        GTEST_SKIP() << "no access control lists on this file system";
    }
    EXPECT_TRUE(check_private_file(path).has_error());
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
