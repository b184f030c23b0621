#pragma once

#include "engine/core/clock.hpp"
#include "engine/ops/platform_configuration.hpp"
#include "engine/ops/settings.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

/// One thing that is wrong with the configuration.
struct config_problem {
    std::string file;
    std::uint32_t line = 0;  ///< 0: not from a line of the file (environment, flag).
    std::string key;         ///< "app.communes", as a person would write it.
    std::string message;     ///< What is wrong and what would be right.

    /// "tocsin.toml:12: app.comunes: unknown key; did you mean communes?"
    [[nodiscard]] std::string describe() const;
};

/// A problem with a value that shows only when it is used, told as load_config() tells its own. `place`:
/// "redis.url", or "app.1.communes", the second app's.
[[nodiscard]] config_problem problem_of(const settings& how, const std::string& place, std::string message);

/// Whether the reader opens the files that apps have keys in. For one that does not they need not be within
/// reach, and are not looked at; the path of a service manager's credential stays as it is written then.
enum class app_keys : std::uint8_t { used, unused };

struct config_sources {
    std::string file;  ///< Empty: TOCSIN_CONFIG, else the first of `default_files`, else defaults.
    /// Reads an environment variable; passed in so that tests own their environment.
    std::function<std::optional<std::string>(const std::string&)> environment;
    /// From the command line: {"redis.url", "redis://…"}; win over everything.
    std::vector<std::pair<std::string, std::string>> flags;
    /// The names of all environment variables: one that begins like ours and means nothing is an error.
    std::vector<std::string> environment_names = {};
    /// Where a file is looked for when none is named; none of them need exist.
    std::vector<std::filesystem::path> default_files = {"tocsin.toml", "/etc/tocsin/tocsin.toml"};
    app_keys keys = app_keys::used;
    /// When certificates have to be valid.
    wall_time now = std::chrono::time_point_cast<std::chrono::milliseconds>(wall_clock::now());
};

/// The sources of a command that was started the usual way: the process's own environment.
[[nodiscard]] config_sources process_config_sources();

struct config_outcome {
    settings value;
    std::vector<config_problem> problems;  ///< Empty: `value` can be used.
};

/// Reads, merges and checks. All problems are reported at once, in file order. `platforms`: those that an app
/// may be on.
[[nodiscard]] config_outcome load_config(const config_sources& sources, platform_configurations platforms);

/// A key that a flag or an environment variable can set: every key outside [[app]].
struct config_flag {
    std::string key;          ///< "redis.url", as config_sources::flags takes it.
    std::string environment;  ///< "TOCSIN_REDIS_URL".
    std::string_view help;
};
[[nodiscard]] std::vector<config_flag> config_flags();

/// docs/reference/configuration.md, from the one table of keys. `example`: a whole file.
[[nodiscard]] std::string configuration_reference(
    platform_configurations platforms, std::string_view example);

}  // namespace tocsin
