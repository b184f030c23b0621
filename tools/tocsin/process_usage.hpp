#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace tocsin::cli {

/// The most memory that a process ever had, out of the text of its /proc/<id>/status.
[[nodiscard]] std::optional<std::uint64_t> peak_memory_bytes(std::string_view status) noexcept;
/// The same of a process that runs.
[[nodiscard]] std::optional<std::uint64_t> peak_memory_bytes(pid_t id);

/// How long the threads of a process have been ready to run and found no core free, out of
/// /proc/<id>/task/*/schedstat; threads that have ended are not in it.
[[nodiscard]] std::chrono::nanoseconds waited_for_cores(pid_t id);

/// How long the cores of the machine have been busy since it started, added up, whoever kept them so;
/// out of the text of /proc/stat.
[[nodiscard]] std::chrono::nanoseconds busy_time(std::string_view stat) noexcept;
[[nodiscard]] std::chrono::nanoseconds busy_time();

/// Counts the system calls of another process.
///
/// With the kernel's own trace point: /proc/<id>/io counts read() and write(), and none of the calls
/// that sockets are used with. Needs tracefs to be mounted, and root or CAP_PERFMON.
class syscall_counter {
public:
    /// Empty where the kernel does not let us count. Threads that start later are counted too.
    [[nodiscard]] static std::optional<syscall_counter> attach(pid_t id);

    syscall_counter(syscall_counter&& other) noexcept = default;
    syscall_counter& operator=(syscall_counter&&) = delete;
    ~syscall_counter();

    /// Calls since attach().
    [[nodiscard]] std::uint64_t read() const noexcept;

private:
    syscall_counter() = default;
    std::vector<int> threads_;
};

struct machine_description {
    unsigned cores = 1;  ///< That this process may run on.
    std::string processor;
};

[[nodiscard]] machine_description describe_machine();

}  // namespace tocsin::cli
