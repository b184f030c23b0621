#include "engine/ops/process_metrics.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include <sys/resource.h>
#include <unistd.h>

namespace tocsin {
namespace {

std::string contents(const char* path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Field `number` (from 1, as proc(5) counts) of /proc/self/stat.
std::optional<double> stat_field(std::size_t number) {
    const std::string line = contents("/proc/self/stat");
    // The second field is the executable's name in parentheses and may itself hold spaces and
    // parentheses, so counting starts behind the last one.
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) {
        return std::nullopt;
    }
    std::string_view rest = std::string_view(line).substr(name_end + 1);
    for (std::size_t field = 3;; ++field) {
        const std::size_t start = rest.find_first_not_of(" \n");
        if (start == std::string_view::npos) {
            return std::nullopt;
        }
        rest.remove_prefix(start);
        const std::string_view word = rest.substr(0, rest.find_first_of(" \n"));
        if (field == number) {
            double value = 0;
            const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
            return problem == std::errc() && end == word.data() + word.size() ? std::optional(value)
                                                                              : std::nullopt;
        }
        rest.remove_prefix(word.size());
    }
}

std::optional<double> scaled(std::optional<double> value, double factor) {
    return value ? std::optional(*value * factor) : std::nullopt;
}

double ticks_per_second() {
    return static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::optional<double> cpu_seconds() {
    rusage used{};
    if (::getrusage(RUSAGE_SELF, &used) != 0) {
        return std::nullopt;
    }
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

std::optional<double> resident_bytes() {
    return scaled(stat_field(24), static_cast<double>(::sysconf(_SC_PAGESIZE)));
}

std::optional<double> virtual_bytes() {
    return stat_field(23);
}

std::optional<double> threads() {
    return stat_field(20);
}

std::optional<double> open_fds() {
    std::error_code problem;
    const std::filesystem::directory_iterator all("/proc/self/fd", problem);
    if (problem) {
        return std::nullopt;
    }
    double count = 0;
    for (auto it = begin(all); it != end(all); it.increment(problem)) {
        ++count;
    }
    return count - 1;  // Without the one that lists them.
}

std::optional<double> max_fds() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return std::nullopt;
    }
    return static_cast<double>(limit.rlim_cur);
}

std::optional<double> start_time() {
    const std::optional<double> since_boot = scaled(stat_field(22), 1 / ticks_per_second());
    const std::string stat = contents("/proc/stat");
    constexpr std::string_view key = "\nbtime ";
    const std::size_t at = stat.find(key);
    if (!since_boot || at == std::string::npos) {
        return std::nullopt;
    }
    double boot = 0;
    const char* const first = stat.data() + at + key.size();
    if (std::from_chars(first, stat.data() + stat.size(), boot).ec != std::errc()) {
        return std::nullopt;
    }
    return boot + *since_boot;
}

constexpr auto table = std::to_array<process_metric>({
    {"process_cpu_seconds_total", true, "User and system CPU time used.", cpu_seconds},
    {"process_resident_memory_bytes", false, "Memory that is in RAM.", resident_bytes},
    {"process_virtual_memory_bytes", false, "Address space in use.", virtual_bytes},
    {"process_open_fds", false, "Open file descriptors, connections included.", open_fds},
    {"process_max_fds", false, "The most file descriptors that the process may open.", max_fds},
    {"process_threads", false, "Threads.", threads},
    {"process_start_time_seconds", false, "When the process started, in Unix time.", start_time},
});

}  // namespace

std::span<const process_metric> process_metric_table() noexcept {
    return table;
}

}  // namespace tocsin
