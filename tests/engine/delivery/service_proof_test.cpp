#include "engine/delivery/service_proof.hpp"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(ServiceProof, IsAnAnswerThatTookOrJudgedThePush) {
    struct row {
        reaction action;
        std::uint16_t status;
        bool wanted;
    };
    const std::vector<row> rows{
        {reaction::accept, 200, true},
        {reaction::drop_token, 410, true},
        {reaction::doubt_token, 400, true},
        {reaction::retry_here, 429, true},
        {reaction::reject_event, 413, true},
        {reaction::reject_push, 400, true},
        {reaction::retry_elsewhere, 429, false},
        {reaction::refresh_credential, 403, false},
        {reaction::pause_app, 403, false},
        {reaction::pause_quota, 429, false},
        {reaction::resend, 0, false},
        {reaction::postpone, 401, true},
        {reaction::unknown, 0, false},
        {reaction::accept, 499, true},
        {reaction::accept, 500, false},
        {reaction::retry_here, 503, false},
        {reaction::drop_token, 599, false},
    };
    for (const row& each : rows) {
        verdict what;
        what.action = each.action;
        what.status = each.status;
        EXPECT_EQ(shows_service(what), each.wanted) << to_string(each.action) << " " << each.status;
    }
}

}  // namespace
}  // namespace tocsin
