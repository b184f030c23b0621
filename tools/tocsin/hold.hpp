#pragma once

#include "engine/control/control_state.hpp"
#include "engine/ops/settings.hpp"
#include "tools/tocsin/command.hpp"

#include <string>

namespace tocsin::cli {

/// What --platform names; what is none ends the command (exit 2).
[[nodiscard]] platform platform_of(const std::string& name);
/// What --app and --platform select, empty for every one; the command ends if there is no such (exit 2).
[[nodiscard]] hold_selector selector_of(
    const settings& how, const std::string& app, const std::string& platform_name);

struct hold_options {
    std::string app, platform;  ///< Empty: all, both.
};

/// `tocsin pause` and `tocsin resume`. Both return the exit code.
[[nodiscard]] int hold(const common_options& common, const hold_options& how);
[[nodiscard]] int release(const common_options& common, const hold_options& how);

/// The options of both.
[[nodiscard]] std::vector<option> hold_option_table(hold_options& into);

}  // namespace tocsin::cli
