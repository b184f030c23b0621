#pragma once

#include "engine/ops/settings.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

/// One thing that is wrong with the configuration.
struct config_problem {
    std::string file;
    std::uint32_t line = 0;  ///< 0: not from a line of the file (environment, flag).
    std::string key;         ///< "app.apns.key_file", as a person would write it.
    std::string message;     ///< What is wrong and what would be right.

    /// "tocsin.toml:12: app.apns.key_fil: unknown key; did you mean key_file?"
    [[nodiscard]] std::string describe() const;
};

struct config_sources {
    std::string file;  ///< Empty: TOCSIN_CONFIG, then ./tocsin.toml, then /etc/tocsin/tocsin.toml, then defaults.
    /// Reads an environment variable; passed in so that tests own their environment.
    std::function<std::optional<std::string>(const std::string&)> environment;
    /// From the command line: {"redis.url", "redis://…"}; win over everything.
    std::vector<std::pair<std::string, std::string>> flags;
};

struct config_outcome {
    settings value;
    std::vector<config_problem> problems;  ///< Empty: `value` can be used.
};

/// Reads, merges and checks. All problems are reported at once, in file order.
[[nodiscard]] config_outcome load_config(const config_sources& sources);

/// docs/reference/configuration.md, from the one table of keys.
[[nodiscard]] std::string configuration_reference();

}  // namespace tocsin
