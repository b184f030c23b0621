#include "engine/core/heap.hpp"

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <sys/resource.h>

namespace tocsin {
namespace {

constexpr std::size_t megabyte = std::size_t{1} << 20;
constexpr std::size_t system_page = 4096;

bool other_allocator() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#else
    return false;
#endif
}

long faults_of_this_thread() {
    rusage used{};
    getrusage(RUSAGE_THREAD, &used);
    return used.ru_minflt;
}

/// What the system is asked for while a thread takes `bytes` in pieces of `piece` and fills them.
long faults_of_taking(std::size_t bytes, std::size_t piece) {
    const long before = faults_of_this_thread();
    std::vector<std::unique_ptr<char[]>> taken;
    taken.reserve(bytes / piece);
    for (std::size_t i = 0; i < bytes / piece; ++i) {
        taken.push_back(std::make_unique<char[]>(piece));
    }
    return faults_of_this_thread() - before;
}

class HeapTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (other_allocator()) {
            GTEST_SKIP() << "a sanitizer's allocator keeps memory in its own way";
        }
        keep_freed_memory(64 * megabyte);
    }

    /// On a thread of its own: its heap is not the first thread's.
    template <class Step>
    static void on_a_new_thread(const Step& step) {
        std::thread(step).join();
    }
};

TEST_F(HeapTest, AThreadWhoseHeapIsPreparedTakesNoMoreFromTheSystem) {
    on_a_new_thread([] {
        prepare_heap(16 * megabyte);
        for (const std::size_t piece : {std::size_t{200}, std::size_t{4'000}, std::size_t{300'000}}) {
            EXPECT_LT(faults_of_taking(8 * megabyte, piece), 100) << piece;
        }
    });
}

TEST_F(HeapTest, WhatAThreadFreesItTakesAgainWithoutTheSystem) {
    on_a_new_thread([] {
        // More than the heap that it may have inherited from a thread of before.
        EXPECT_GT(faults_of_taking(40 * megabyte, 300'000), 16 * megabyte / system_page);
        EXPECT_LT(faults_of_taking(40 * megabyte, 300'000), 100);
    });
}

TEST_F(HeapTest, NoHeapIsPreparedForNothing) {
    on_a_new_thread([] {
        const long before = faults_of_this_thread();
        prepare_heap(0);
        EXPECT_LT(faults_of_this_thread() - before, 10);
    });
}

}  // namespace
}  // namespace tocsin
