#include "tools/tocsin/bench_assert.hpp"

#include <boost/json/parse.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using relation = bench_assertion::relation;

bench_assertion good(std::string_view text) {
    auto one = parse_bench_assertion(text);
    EXPECT_TRUE(one.has_value()) << text;
    return one.has_value() ? *one : bench_assertion{};
}

std::vector<std::string> missed(const char* report, std::string_view assertion) {
    return missed_assertions(boost::json::parse(report).as_object(), {good(assertion)});
}

TEST(BenchAssert, ReadsEveryRelation) {
    EXPECT_EQ(good("cpu_per_million<3.0").how, relation::less);
    EXPECT_EQ(good("cpu_per_million<=3").how, relation::at_most);
    EXPECT_EQ(good("pushes_per_second>1e5").how, relation::more);
    EXPECT_EQ(good("pushes_per_second>=1e5").how, relation::at_least);
    EXPECT_EQ(good("retries==0").how, relation::equal);
    const bench_assertion spaced = good(" accepted_p99_ms < 500 ");
    EXPECT_EQ(spaced.figure, "accepted_p99_ms");
    EXPECT_EQ(spaced.bound, 500);
}

TEST(BenchAssert, RefusesAnUnknownFigureAndSuggestsTheOneThatWasMeant) {
    const auto wrong = parse_bench_assertion("cpu_per_milion<3");
    ASSERT_TRUE(wrong.has_error());
    EXPECT_THAT(wrong.error().message, HasSubstr("did you mean cpu_per_million?"));
}

TEST(BenchAssert, RefusesWhatIsNoComparisonWithANumber) {
    for (const char* const text :
         {"", "cpu_per_million", "cpu_per_million=3", "cpu_per_million<", "cpu_per_million<3x",
          "cpu_per_million<nan", "cpu_per_million<inf", "<3", "cpu_per_million<>3"}) {
        EXPECT_TRUE(parse_bench_assertion(text).has_error()) << text;
    }
}

TEST(BenchAssert, TellsWhatWasMissedAndByWhatValue) {
    constexpr const char* report = R"({"cpu_per_million": 3.0, "retries": 0})";
    EXPECT_THAT(missed(report, "cpu_per_million<3.0"), ElementsAre(HasSubstr("it is 3")));
    EXPECT_THAT(missed(report, "cpu_per_million<=3.0"), IsEmpty());
    EXPECT_THAT(missed(report, "cpu_per_million>3.0").size(), 1);
    EXPECT_THAT(missed(report, "cpu_per_million>=3.0"), IsEmpty());
    EXPECT_THAT(missed(report, "retries==0"), IsEmpty());
    EXPECT_THAT(missed(report, "retries==1").size(), 1);
}

TEST(BenchAssert, AFigureThatTheRunDoesNotHaveIsMissed) {
    EXPECT_THAT(missed(R"({"alert_p50_ms": null})", "alert_p50_ms<1e9"), ElementsAre(HasSubstr("no such")));
    EXPECT_THAT(missed("{}", "alert_p50_ms<1e9"), ElementsAre(HasSubstr("no such")));
}

}  // namespace
}  // namespace tocsin::cli
