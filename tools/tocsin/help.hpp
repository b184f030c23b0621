#pragma once

#include "tools/tocsin/command.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

/// "tocsin": every command, a line each, in groups.
[[nodiscard]] std::string overview(std::span<const command> commands);
/// "tocsin publish --help". `path`: "publish", "devices import".
[[nodiscard]] std::string help_of(const command& about, std::string_view path);
/// "tocsin help settings": every key outside [[app]], with its flag and its variable.
[[nodiscard]] std::string help_of_settings();

/// The options that every command has, reading into `into`.
[[nodiscard]] std::vector<option> common_option_table(common_options& into);

/// The command or the action that `path` leads to; null if there is none.
[[nodiscard]] const command* find_command(
    std::span<const command> commands, std::span<const std::string> path);

/// `text` without the marks of `code` and [links](to/pages.md).
[[nodiscard]] std::string without_marks(std::string_view text);
/// Breaks `text` between words so that no line has more than `width` characters; each line but the first is
/// indented by `indent` blanks.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace tocsin::cli
