#pragma once

#include "engine/core/error.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace tocsin::cli {

/// A program that this one started and ends: at the latest when this object goes, and by the
/// kernel if this process is killed.
class child_process {
public:
    /// `program` is looked for in PATH; its output goes to `log`.
    [[nodiscard]] static parsed<child_process> start(
        const std::string& program, const std::vector<std::string>& arguments,
        const std::filesystem::path& log);

    child_process(child_process&& other) noexcept;
    child_process& operator=(child_process&&) = delete;
    ~child_process();

    [[nodiscard]] bool running();
    /// SIGTERM, then SIGKILL after `grace`. Returns the exit status as wait() gives it.
    int stop(std::chrono::milliseconds grace);
    [[nodiscard]] pid_t id() const noexcept { return id_; }
    /// Processor time that it has used so far, user and system, ended threads included; 0 once it has ended.
    [[nodiscard]] std::chrono::nanoseconds processor_time() const;

private:
    explicit child_process(pid_t id) noexcept : id_(id) {}
    pid_t id_ = -1;
    int status_ = 0;
};

}  // namespace tocsin::cli
