#include "tools/tocsin/process_usage.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

namespace tocsin::cli {
namespace {

TEST(ProcessUsage, ReadsPeakMemoryOutOfStatus) {
    EXPECT_EQ(
        peak_memory_bytes(std::string_view("Name:\tx\nVmHWM:\t   38003 kB\nVmRSS:\t 1 kB\n")),
        38'003U * 1'024);
    EXPECT_FALSE(peak_memory_bytes(std::string_view("Name:\tx\n")).has_value());
    EXPECT_FALSE(peak_memory_bytes(std::string_view("VmHWM:")).has_value());
    EXPECT_GT(peak_memory_bytes(getpid()).value_or(0), 100'000U);
}

TEST(ProcessUsage, BusyIsEverythingButIdleAndWaitingForADisk) {
    const auto tick = std::chrono::nanoseconds(std::chrono::seconds(1)) / sysconf(_SC_CLK_TCK);
    EXPECT_EQ(busy_time("cpu  1 2 4 1000 2000 8 16 32 64 128\ncpu0 9 9 9"), 63 * tick);
    EXPECT_EQ(busy_time("intr 1 2 3").count(), 0);
    EXPECT_EQ(busy_time("").count(), 0);
    EXPECT_GT(busy_time().count(), 0);
}

TEST(ProcessUsage, CountsSystemCallsOfAProcessWhereTheKernelLetsIt) {
    const auto calls = syscall_counter::attach(getpid());
    if (!calls) {
        GTEST_SKIP() << "needs tracefs, and root or CAP_PERFMON";
    }
    const std::uint64_t before = calls->read();
    for (int i = 0; i < 1'000; ++i) {
        static_cast<void>(getppid());
    }
    const std::uint64_t made = calls->read() - before;
    EXPECT_GE(made, 1'000U);
    EXPECT_LT(made, 1'100U);
}

TEST(ProcessUsage, AProcessThatIsNotThereHasNone) {
    EXPECT_FALSE(syscall_counter::attach(-1).has_value());
    EXPECT_FALSE(peak_memory_bytes(pid_t{-1}).has_value());
}

TEST(ProcessUsage, TheMachineHasACore) {
    EXPECT_GE(describe_machine().cores, 1U);
}

}  // namespace
}  // namespace tocsin::cli
