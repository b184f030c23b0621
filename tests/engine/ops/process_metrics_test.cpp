#include "engine/ops/process_metrics.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tocsin {
namespace {

double read(std::string_view name) {
    const auto table = process_metric_table();
    const auto found = std::ranges::find(table, name, &process_metric::name);
    EXPECT_NE(found, table.end()) << name;
    return found == table.end() ? -1 : found->read().value_or(-1);
}

TEST(ProcessMetrics, FileDescriptorsAreCountedWithoutTheOneThatCountsThem) {
    double before = 0;
    for (int one = 0; one < 4'096; ++one) {
        before += ::fcntl(one, F_GETFD) != -1 ? 1 : 0;
    }
    EXPECT_EQ(read("process_open_fds"), before);
    const int opened = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(read("process_open_fds"), before + 1);
    ::close(opened);
    EXPECT_EQ(read("process_open_fds"), before);
    EXPECT_GT(read("process_max_fds"), before);
}

TEST(ProcessMetrics, ThreadsAreCounted) {
    std::jthread([] {}).join();  // With the first of ours, a sanitizer may begin one of its own.
    const double before = read("process_threads");
    EXPECT_GE(before, 1);
    const std::jthread another([](const std::stop_token& until) {
        while (!until.stop_requested()) {
            std::this_thread::yield();
        }
    });
    EXPECT_EQ(read("process_threads"), before + 1);
}

TEST(ProcessMetrics, MemoryIsInBytesAndTheAddressSpaceHoldsWhatIsResident) {
    constexpr std::size_t size = std::size_t{256} * 1024 * 1024;
    const double before = read("process_virtual_memory_bytes");
    EXPECT_GT(read("process_resident_memory_bytes"), 1024.0 * 1024);
    EXPECT_LT(read("process_resident_memory_bytes"), before);
    void* const reserved =
        ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(reserved, MAP_FAILED);
    EXPECT_EQ(read("process_virtual_memory_bytes"), before + static_cast<double>(size));
    EXPECT_LT(read("process_resident_memory_bytes"), before);
    ::munmap(reserved, size);
}

TEST(ProcessMetrics, TimeIsInSecondsAndTheProcessBeganALittleWhileAgo) {
    const double before = read("process_cpu_seconds_total");
    while (read("process_cpu_seconds_total") <= before) {
    }
    EXPECT_LT(read("process_cpu_seconds_total"), 3'600);
    const auto now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    EXPECT_LE(read("process_start_time_seconds"), now + 2)
        << "the kernel's moment of booting is in whole seconds";
    EXPECT_GT(read("process_start_time_seconds"), now - 3'600);
}

}  // namespace
}  // namespace tocsin
