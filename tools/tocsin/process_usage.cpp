#include "tools/tocsin/process_usage.hpp"

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <linux/perf_event.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tocsin::cli {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> trace_point_id() {
    for (const char* const root : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
        std::ifstream file(std::string(root) + "/events/raw_syscalls/sys_enter/id");
        std::uint64_t id = 0;
        if (file >> id) {
            return id;
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> peak_memory_bytes(std::string_view status) noexcept {
    constexpr std::string_view label = "VmHWM:";
    std::size_t at = status.find(label);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    at = status.find_first_not_of(" \t", at + label.size());
    std::uint64_t kilobytes = 0;
    if (at == std::string_view::npos ||
        std::from_chars(status.data() + at, status.data() + status.size(), kilobytes).ec != std::errc()) {
        return std::nullopt;
    }
    return kilobytes * 1'024;
}

std::optional<std::uint64_t> peak_memory_bytes(pid_t id) {
    std::ifstream file("/proc/" + std::to_string(id) + "/status");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return peak_memory_bytes(std::string_view(text));
}

std::chrono::nanoseconds waited_for_cores(pid_t id) {
    std::chrono::nanoseconds sum{};
    std::error_code failed;
    for (const auto& thread : fs::directory_iterator("/proc/" + std::to_string(id) + "/task", failed)) {
        std::ifstream file(thread.path() / "schedstat");
        std::int64_t ran = 0;
        std::int64_t waited = 0;
        if (file >> ran >> waited) {
            sum += std::chrono::nanoseconds(waited);
        }
    }
    return sum;
}

std::chrono::nanoseconds busy_time(std::string_view stat) noexcept {
    // "cpu  user nice system idle iowait irq softirq steal guest guest_nice"; guests are in user.
    constexpr std::size_t idle = 3;
    constexpr std::size_t waiting_for_disk = 4;
    constexpr std::size_t last = 7;
    std::int64_t ticks = 0;
    std::size_t at = stat.starts_with("cpu ") ? 3 : std::string_view::npos;
    for (std::size_t field = 0; field <= last; ++field) {
        at = stat.find_first_not_of(' ', at);
        std::int64_t number = 0;
        if (at == std::string_view::npos) {
            break;
        }
        const auto [end, failed] = std::from_chars(stat.data() + at, stat.data() + stat.size(), number);
        if (failed != std::errc()) {
            break;
        }
        ticks += field == idle || field == waiting_for_disk ? 0 : number;
        at = static_cast<std::size_t>(end - stat.data());
    }
    return std::chrono::nanoseconds(std::chrono::seconds(1)) / sysconf(_SC_CLK_TCK) * ticks;
}

std::chrono::nanoseconds busy_time() {
    std::ifstream file("/proc/stat");
    std::string line;
    std::getline(file, line);
    return busy_time(line);
}

std::optional<syscall_counter> syscall_counter::attach(pid_t id) {
    const auto point = trace_point_id();
    if (!point) {
        return std::nullopt;
    }
    perf_event_attr what{};
    what.type = PERF_TYPE_TRACEPOINT;
    what.size = sizeof what;
    what.config = *point;
    what.inherit = 1;
    syscall_counter out;
    std::error_code failed;
    for (const auto& thread : fs::directory_iterator("/proc/" + std::to_string(id) + "/task", failed)) {
        const pid_t which = std::stoi(thread.path().filename().string());
        const long opened = syscall(SYS_perf_event_open, &what, which, -1, -1, PERF_FLAG_FD_CLOEXEC);
        if (opened < 0 && errno == ESRCH) {
            continue;  // It ended while we went through the list.
        }
        if (opened < 0) {
            return std::nullopt;
        }
        out.threads_.push_back(static_cast<int>(opened));
    }
    if (failed || out.threads_.empty()) {
        return std::nullopt;
    }
    return out;
}

syscall_counter::~syscall_counter() {
    for (const int one : threads_) {
        close(one);
    }
}

std::uint64_t syscall_counter::read() const noexcept {
    std::uint64_t sum = 0;
    for (const int one : threads_) {
        std::uint64_t count = 0;
        if (::read(one, &count, sizeof count) == static_cast<ssize_t>(sizeof count)) {
            sum += count;
        }
    }
    return sum;
}

machine_description describe_machine() {
    machine_description out;
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        out.cores = static_cast<unsigned>(CPU_COUNT(&allowed));
    }
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) {
            out.processor = line.substr(colon + 2);
            break;
        }
    }
    return out;
}

}  // namespace tocsin::cli
