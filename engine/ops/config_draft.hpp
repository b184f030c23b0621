#pragma once

#include "engine/ops/config.hpp"
#include "engine/ops/config_origins.hpp"
#include "engine/ops/config_table.hpp"

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// A configuration while it is put together: the values so far, where each came from, and what is
/// wrong with them.
///
/// A place is written like "redis.url" or "app.1.communes", the second app's; a place that came
/// from nowhere (a missing key) is reported where the table around it began.
class config_draft {
public:
    explicit config_draft(const config_table& table) : table_(table) {}

    using origin = config_origins::origin;

    void came_from(const std::string& place, origin where) { origins_.note(place, std::move(where)); }
    [[nodiscard]] origin origin_of(std::string_view place) const;

    /// Records what is wrong at `place`, where it came from.
    void problem(const std::string& place, std::string message);
    void problem_at(origin where, std::string_view place, std::string message);

    /// False once a problem was recorded: one complaint about a value is enough.
    [[nodiscard]] bool sound(const std::string& place) const { return !faulty_.contains(place); }

    /// Checks, resolves and stores a value that has the right type.
    void assign(
        const config_key& key, const std::string& place, parsed<config_value> value, origin where,
        const std::filesystem::path& folder);

    /// What has been found, in the order of the file and then of the other sources.
    [[nodiscard]] std::vector<config_problem> take_problems();

    [[nodiscard]] config_origins take_origins() { return std::move(origins_); }

    settings value;
    std::string
        credentials_directory;  ///< What "$CREDENTIALS_DIRECTORY/" in a path stands for; empty: nothing.
    app_keys keys = app_keys::used;

private:
    [[nodiscard]] config_target target_of(std::string_view section, std::string_view place);
    /// Makes a path as it is written one that can be opened. False: it is a credential that is out of reach.
    [[nodiscard]] bool resolve(
        const config_key& key, std::string& path, const std::filesystem::path& folder) const;

    const config_table& table_;
    config_origins origins_;
    std::set<std::string, std::less<>> faulty_;
    std::vector<config_problem> problems_;
};

/// Reads the file into the draft.
void read_config_file(const std::filesystem::path& file, const config_table& table, config_draft& draft);

/// Checks what the file, the environment and the flags together make.
void check_config(config_draft& draft, const config_table& table, wall_time now);

}  // namespace tocsin
