#pragma once

#include "engine/ops/config.hpp"
#include "providers/platforms.hpp"
#include "tests/engine/ops/credentials.hpp"
#include "tests/engine/ops/temporary_folder.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::testing {

/// Loads configurations from a folder of its own, with an environment of its own.
class config_fixture : public ::testing::Test {
protected:
    config_outcome load(std::string_view text) { return load_file(folder.write("tocsin.toml", text)); }

    config_outcome load_file(const std::string& file) {
        config_sources sources;
        sources.file = file;
        sources.environment = [this](const std::string& name) -> std::optional<std::string> {
            const auto found = environment.find(name);
            return found == environment.end() ? std::nullopt : std::optional(found->second);
        };
        sources.keys = keys;
        for (const auto& [name, value] : environment) {
            sources.environment_names.push_back(name);
        }
        sources.flags = flags;
        sources.default_files = default_files;
        sources.now = now;
        return load_config(sources, all_platform_configurations());
    }

    /// The problems as a person sees them, without the folder in front.
    [[nodiscard]] std::vector<std::string> shown(const config_outcome& outcome) const {
        std::vector<std::string> out;
        for (const config_problem& problem : outcome.problems) {
            std::string line = problem.describe();
            const std::string prefix = folder.path().string() + "/";
            for (std::size_t at = 0; (at = line.find(prefix, at)) != std::string::npos;) {
                line.erase(at, prefix.size());
            }
            out.push_back(std::move(line));
        }
        return out;
    }

    /// What is wrong with a file of this text, one problem a line.
    std::string problems(std::string_view text) {
        std::string out;
        for (const std::string& line : shown(load(text))) {
            out += line + "\n";
        }
        return out;
    }

    temporary_folder folder;
    std::map<std::string, std::string> environment;
    app_keys keys = app_keys::used;
    std::vector<std::pair<std::string, std::string>> flags;
    std::vector<std::filesystem::path> default_files;
    wall_time now{std::chrono::milliseconds(1'795'000'000'000)};  // November 2026.
};

}  // namespace tocsin::testing
