#include "providers/common/token_slot.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

std::shared_ptr<const issued_token> token(std::string text) {
    auto out = std::make_shared<issued_token>();
    out->authorization = std::move(text);
    return out;
}

TEST(TokenCache, SeesEachChangeOfItsSlot) {
    token_slot slot;
    token_cache cache;
    EXPECT_EQ(cache.get(slot), nullptr);
    slot.store(token("one"));
    ASSERT_NE(cache.get(slot), nullptr);
    EXPECT_EQ(cache.get(slot)->authorization, "one");
    EXPECT_EQ(cache.get(slot), cache.get(slot));
    slot.store(token("two"));
    EXPECT_EQ(cache.get(slot)->authorization, "two");
    slot.store(nullptr);
    EXPECT_EQ(cache.get(slot), nullptr);
}

TEST(TokenCache, HeldTokensOutliveTheirReplacement) {
    token_slot slot;
    token_cache cache;
    slot.store(token("one"));
    const issued_token* held = cache.get(slot);
    slot.store(token("two"));
    EXPECT_EQ(held->authorization, "one");
}

TEST(TokenSlot, IsReadByManyThreadsWhileOneReplacesIt) {
    token_slot slot;
    slot.store(token("0"));
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::jthread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            token_cache cache;
            int last = 0;
            while (!done) {
                const int seen = std::stoi(cache.get(slot)->authorization);
                wrong += seen < last ? 1 : 0;  // Never back to an older token.
                last = seen;
            }
        });
    }
    for (int i = 1; i <= 2'000; ++i) {
        slot.store(token(std::to_string(i)));
    }
    done = true;
    readers.clear();
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tocsin
