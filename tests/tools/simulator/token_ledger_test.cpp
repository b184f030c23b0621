#include "tools/simulator/token_ledger.hpp"

#include "tools/simulator/dead_token.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin::sim {
namespace {

std::uint64_t key(unsigned number) {
    return token_key("token-" + std::to_string(number));
}

TEST(TokenLedger, CountsWhatWasReceivedAndWhatOfItWasAccepted) {
    token_ledger ledger;
    ledger.record(key(1), [](auto) { return true; });
    ledger.record(key(1), [](auto) { return false; });
    EXPECT_EQ(ledger.counts(key(1)), (token_counts{2, 1}));
    EXPECT_EQ(ledger.counts(key(2)), (token_counts{0, 0}));
}

TEST(TokenLedger, TellsHowManyRequestsCameBefore) {
    token_ledger ledger;
    std::string attempts;
    for (int i = 0; i < 3; ++i) {
        ledger.record(key(1), [&](std::uint32_t attempt) {
            attempts += std::to_string(attempt);
            return false;
        });
    }
    EXPECT_EQ(attempts, "012");
}

TEST(TokenLedger, SeesEveryDuplicateAmongManyTokens) {
    token_ledger ledger;
    constexpr unsigned tokens = 100'000;
    for (unsigned i = 0; i < tokens; ++i) {
        ledger.record(key(i), [](auto) { return true; });
    }
    ledger.record(key(7), [](auto) { return true; });
    ledger.record(key(7), [](auto) { return true; });
    ledger.record(key(8), [](auto) { return true; });

    const ledger_totals totals = ledger.totals();
    EXPECT_EQ(totals.tokens, tokens);
    EXPECT_EQ(totals.accepted, tokens);
    EXPECT_EQ(totals.accepted_twice, 2U);
    EXPECT_EQ(totals.repeats, 3U);
    for (unsigned i = 0; i < tokens; ++i) {
        ASSERT_EQ(ledger.counts(key(i)).accepted, i == 7 ? 3U : i == 8 ? 2U : 1U) << i;
    }
}

TEST(TokenLedger, ForgetsWhatIsTakenBack) {
    token_ledger ledger;
    ledger.record(key(1), [](auto) { return true; });
    ledger.record(key(1), [](auto) { return true; });
    ledger.take_back(key(1), true);
    EXPECT_EQ(ledger.counts(key(1)), (token_counts{1, 1}));
    EXPECT_EQ(ledger.totals().accepted_twice, 0U);
    EXPECT_EQ(ledger.totals().repeats, 0U);
    ledger.take_back(key(1), true);
    EXPECT_EQ(ledger.totals().accepted, 0U);
}

TEST(TokenLedger, IsEmptyAgainAfterClear) {
    token_ledger ledger;
    ledger.record(key(1), [](auto) { return true; });
    ledger.clear();
    EXPECT_EQ(ledger.totals().tokens, 0U);
    EXPECT_EQ(ledger.counts(key(1)), token_counts{});
}

TEST(DeadToken, IsTheShareThatWasAskedFor) {
    unsigned dead = 0;
    for (unsigned i = 0; i < 100'000; ++i) {
        dead += is_dead("token-" + std::to_string(i), 42, 0.02) ? 1 : 0;
    }
    EXPECT_NEAR(dead, 2000, 200);
}

TEST(DeadToken, DependsOnTheSeedAndStaysDeadAsTheShareGrows) {
    unsigned both_seeds = 0;
    for (unsigned i = 0; i < 10'000; ++i) {
        const std::string token = "token-" + std::to_string(i);
        const bool dead = is_dead(token, 1, 0.1);
        both_seeds += dead && is_dead(token, 2, 0.1) ? 1 : 0;
        EXPECT_TRUE(!dead || is_dead(token, 1, 0.2));
        EXPECT_FALSE(is_dead(token, 1, 0));
        EXPECT_TRUE(is_dead(token, 1, 1));
    }
    EXPECT_NEAR(both_seeds, 100, 50);
}

}  // namespace
}  // namespace tocsin::sim
