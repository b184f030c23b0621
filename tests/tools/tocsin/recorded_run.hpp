#pragma once

#include "tools/tocsin/command_line.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wordexp.h>

// The real parser over the real table of commands, which are not carried out.

namespace tocsin::cli {

/// What came of a command line.
struct recorded_run {
    int code = 0;
    std::string out, err;
    std::string ran;  ///< The command that was called.
};

/// Every command as it is, but calling one only writes its name down.
inline std::vector<command> recorded_commands(std::string& ran) {
    const std::function<void(command&, const std::string&)> record = [&](command& at,
                                                                         const std::string& path) {
        if (at.run != nullptr && path != "help") {
            at.run = [&ran, path, options_owner = at.run](const common_options&) {
                ran = path;
                return int{exit_ok};
            };
        }
        for (command& action : at.actions) {
            record(action, path + " " + action.name);
        }
    };
    std::vector<command> out = all_commands();
    for (command& one : out) {
        record(one, one.name);
    }
    return out;
}

inline recorded_run run_recorded(std::vector<std::string> words) {
    recorded_run out;
    const std::vector<command> commands = recorded_commands(out.ran);
    words.insert(words.begin(), "tocsin");
    std::vector<const char*> arguments;
    for (const std::string& word : words) {
        arguments.push_back(word.c_str());
    }
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    out.code = run_command_line(commands, static_cast<int>(arguments.size()), arguments.data());
    out.out = ::testing::internal::GetCapturedStdout();
    out.err = ::testing::internal::GetCapturedStderr();
    return out;
}

/// The words of a line of shell; nothing if it is more than a plain command.
inline std::optional<std::vector<std::string>> shell_words(const std::string& line) {
    wordexp_t words{};
    if (wordexp(line.c_str(), &words, WRDE_NOCMD) != 0) {
        return std::nullopt;
    }
    std::vector<std::string> out(words.we_wordv, words.we_wordv + words.we_wordc);
    wordfree(&words);
    return out;
}

/// The command lines of `examples`: continued lines joined, without comments and what the shell does with the
/// output.
inline std::vector<std::string> command_lines(const std::string& examples) {
    std::vector<std::string> out;
    std::string line;
    bool continued = false;
    for (std::size_t at = 0; at < examples.size();) {
        const std::size_t end = examples.find('\n', at);
        std::string part = examples.substr(at, end - at);
        at = end == std::string::npos ? examples.size() : end + 1;
        const bool goes_on = part.ends_with('\\');
        if (goes_on) {
            part.pop_back();
        }
        line = continued ? line + part : part;
        continued = goes_on;
        if (!goes_on) {
            line = line.substr(0, std::min(line.find("  # "), line.find(" > ")));
            out.push_back(line);
        }
    }
    return out;
}

}  // namespace tocsin::cli
