#include "providers/common/no_answer.hpp"

#include "providers/http2/error.hpp"

#include <set>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using http2::failure;
using http2::http2_errc;

struct row {
    failure why;
    error_code detail;
    reaction action;
    std::string_view reason;
    bool cut;
};

const std::vector<row>& rows() {
    static const std::vector<row> all{
        {failure::not_processed, http2_errc::connection_lost, reaction::resend, "NotProcessed", false},
        {failure::unknown, http2_errc::connection_lost, reaction::unknown, "ConnectionLost", true},
        {failure::unknown, http2_errc::connection_silent, reaction::unknown, "ConnectionLost", false},
        {failure::timed_out, http2_errc::connection_lost, reaction::unknown, "Timeout", false},
        {failure::not_processed, http2_errc::not_sent, reaction::retry_here, "RequestTooLarge", false},
        {failure::not_processed, http2_errc::header_too_large, reaction::retry_here, "RequestTooLarge",
         false}};
    return all;
}

TEST(NoAnswer, IsFreeOnlyIfNobodyCanHaveTakenTheRequest) {
    for (const row& one : rows()) {
        http2::failed_request failed;
        failed.why = one.why;
        failed.detail = one.detail;
        const verdict what = no_answer(failed);
        EXPECT_EQ(what.action, one.action) << one.reason;
        EXPECT_EQ(what.reason, one.reason);
        EXPECT_EQ(what.cut, one.cut) << one.reason;
        EXPECT_EQ(what.status, 0U) << one.reason;
    }
}

TEST(NoAnswer, EachReasonIsListedAndExplainedInAWayOfItsOwn) {
    std::set<std::string_view> said;
    for (const std::string_view reason : no_answer_reasons()) {
        EXPECT_TRUE(said.insert(explain_no_answer(reason)).second) << reason;
    }
    EXPECT_EQ(said.count(explain_no_answer("Invented")), 0U);
    for (const row& one : rows()) {
        EXPECT_EQ(said.count(explain_no_answer(one.reason)), 1U) << one.reason;
    }
}

}  // namespace
}  // namespace tocsin
