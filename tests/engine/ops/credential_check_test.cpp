#include "engine/ops/credential_check.hpp"

#include "tests/engine/ops/credentials.hpp"
#include "tests/engine/ops/temporary_folder.hpp"

#include <array>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using ::testing::HasSubstr;

std::string complaint(const parsed<>& outcome) {
    return outcome.has_error() ? outcome.error().message : "";
}

class CredentialCheckTest : public ::testing::Test {
protected:
    testing::temporary_folder folder;
};

TEST_F(CredentialCheckTest, ChainInTheWrongOrderIsSaidToBe) {
    const auto root = testing::make_ec_key();
    const auto middle = testing::make_ec_key();
    const auto own = testing::make_ec_key();
    const std::string pems[] = {
        testing::make_issued(own.get(), "app", middle.get(), "middle"),
        testing::make_issued(middle.get(), "middle", root.get(), "root"),
        testing::make_issued(root.get(), "root", root.get(), "root")};
    const std::string key = folder.write("own.key", testing::pem_of(own.get()));
    const wall_time now = system_time_source().wall_now();
    for (std::array<std::size_t, 3> order :
         {std::array<std::size_t, 3>{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
        const std::string chain = folder.write("chain.pem", pems[order[0]] + pems[order[1]] + pems[order[2]]);
        const bool right = order[0] == 0 && order[1] == 1;
        const std::string said = complaint(check_certificate(chain, now));
        EXPECT_EQ(said.find("in the wrong order") == std::string::npos, right) << said;
        EXPECT_EQ(complaint(check_certificate_key(key, chain)), "") << "told of the certificate, and once";
    }
    // Nothing says who issued whom, but the key fits the second.
    const std::string strangers = folder.write("chain.pem", pems[2] + pems[0]);
    EXPECT_EQ(complaint(check_certificate(strangers, now)), "");
    EXPECT_THAT(complaint(check_certificate_key(key, strangers)), HasSubstr("in the wrong order"));
    const std::string other = folder.write("other.key", testing::pem_of(middle.get()));
    const std::string alone = folder.write("alone.pem", pems[0]);
    EXPECT_THAT(complaint(check_certificate_key(other, alone)), HasSubstr("is not the private key"));
}

TEST_F(CredentialCheckTest, FolderIsNoFile) {
    EXPECT_THAT(
        complaint(check_trust_root(folder.path().string(), wall_time())), HasSubstr("is not a regular file"));
}

TEST_F(CredentialCheckTest, OneValidRootAmongExpiredOnesIsEnough) {
    const wall_time now(std::chrono::milliseconds(1'795'000'000'000));
    const auto key = testing::make_ec_key();
    const std::string expired =
        testing::make_certificate(key.get(), now - std::chrono::hours(2), now - std::chrono::hours(1));
    const std::string valid =
        testing::make_certificate(key.get(), now - std::chrono::hours(2), now + std::chrono::hours(1));
    EXPECT_EQ(complaint(check_trust_root(folder.write("roots.pem", expired + valid), now)), "");
    EXPECT_THAT(
        complaint(check_trust_root(folder.write("roots.pem", expired), now)), HasSubstr("valid today"));
}

}  // namespace
}  // namespace tocsin
