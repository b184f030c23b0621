#pragma once

#include "tools/tocsin/command.hpp"

#include <span>
#include <string>

namespace tocsin::cli {

/// What a page of the manual is stamped with.
struct manual_stamp {
    std::string version;
    std::string date;  ///< "2026-11-23"
};

/// tocsin(1): the overview, what all commands share, exit codes, files, environment. In the language of
/// man(7).
[[nodiscard]] std::string manual_overview(std::span<const command> commands, const manual_stamp& stamp);
/// tocsin-publish(1): what `tocsin publish --help` says, and its actions.
[[nodiscard]] std::string manual_page(const command& about, const manual_stamp& stamp);
/// tocsin.toml(5): every key of the configuration.
[[nodiscard]] std::string manual_of_configuration(const manual_stamp& stamp);

}  // namespace tocsin::cli
