#pragma once

#include "engine/core/error.hpp"
#include "tools/tocsin/child_process.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

// What `demo` and `bench` set up for themselves, so that they touch nothing of anybody else's.

namespace tocsin::cli {

/// A directory of its own: a temporary one, removed with this object, or one that is kept.
class work_directory {
public:
    /// `keep`: make and keep this one; empty: a temporary one called "tocsin-<name>-…".
    [[nodiscard]] static parsed<work_directory> open(const std::string& keep, const std::string& name);

    work_directory(work_directory&& other) noexcept;
    work_directory& operator=(work_directory&&) = delete;
    ~work_directory();

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// Leaves a temporary one where it is, for its logs. False if it was to be kept anyway.
    bool leave_behind() noexcept;

private:
    work_directory(std::filesystem::path path, bool temporary)
        : path_(std::move(path)), temporary_(temporary) {}

    std::filesystem::path path_;
    bool temporary_;
};

/// A program that is `ready` when this returns. The refusal begins with `otherwise` and names the log.
[[nodiscard]] parsed<child_process> start_and_await(
    const std::string& program, const std::vector<std::string>& arguments, const std::filesystem::path& log,
    const std::function<bool()>& ready, const std::string& otherwise);

/// "unix://…" of the Redis that start_private_redis() starts in `directory`.
[[nodiscard]] std::string private_redis_url(const std::filesystem::path& directory);

/// A redis-server on a Unix socket in `directory`, without persistence, with the limits that
/// docs/how-to/run-in-production.md asks for. It takes connections when this returns.
[[nodiscard]] parsed<child_process> start_private_redis(const std::filesystem::path& directory);

/// `tocsin serve`, ready when this returns. `admin`: where its configuration has it listen.
[[nodiscard]] parsed<child_process> start_private_engine(
    const std::filesystem::path& configuration, const std::string& admin, const std::filesystem::path& log,
    const std::vector<std::string>& more_flags = {});

/// The executable that this process runs.
[[nodiscard]] std::string own_executable();

/// A TCP port of 127.0.0.1 that was free a moment ago.
[[nodiscard]] std::uint16_t free_port();

}  // namespace tocsin::cli
