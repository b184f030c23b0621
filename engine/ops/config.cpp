#include "engine/ops/config.hpp"

#include "engine/core/text.hpp"
#include "engine/ops/config_draft.hpp"
#include "engine/ops/config_table.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <system_error>
#include <thread>

#include <unistd.h>

namespace tocsin {
namespace {

constexpr std::string_view environment_prefix = "TOCSIN_";

std::optional<std::string> lookup(const config_sources& sources, const std::string& name) {
    return sources.environment ? sources.environment(name) : std::nullopt;
}

/// The file to read; empty if there is none. A file that somebody named has to exist.
std::filesystem::path choose_file(const config_sources& sources) {
    if (!sources.file.empty()) {
        return sources.file;
    }
    if (const auto named = lookup(sources, "TOCSIN_CONFIG"); named && !named->empty()) {
        return *named;
    }
    for (const std::filesystem::path& each : sources.default_files) {
        std::error_code problem;
        if (std::filesystem::exists(each, problem)) {
            return each;
        }
    }
    return {};
}

/// Variables that Kubernetes and Docker set for a service that happens to be called "tocsin-redis".
bool is_service_link(std::string_view rest) noexcept {
    return rest == "PORT" || rest.starts_with("PORT_") || rest == "SERVICE_HOST" ||
           rest.starts_with("SERVICE_PORT");
}

void refuse_unknown_variables(const config_sources& sources, config_draft& draft) {
    std::vector<std::string> known;
    for (const config_flag& each : config_flags()) {
        known.push_back(each.environment);
    }
    const std::vector<std::string_view> candidates(known.begin(), known.end());
    for (const std::string& name : sources.environment_names) {
        for (const config_section& section : engine_config_sections()) {
            std::string prefix(environment_prefix);
            for (const char c : section.path) {
                prefix.push_back(c == '_' ? c : static_cast<char>(c - 'a' + 'A'));
            }
            prefix.push_back('_');
            if (!section.in_environment || !name.starts_with(prefix) ||
                is_service_link(std::string_view(name).substr(prefix.size())) ||
                std::ranges::find(known, name) != known.end()) {
                continue;
            }
            const std::string_view meant = nearest(name, candidates);
            draft.problem_at(
                {.file = "environment", .line = 0}, name,
                meant.empty() ? "no key of " + std::string(section.header) + " has this name"
                              : "unknown variable; did you mean " + std::string(meant) + "?");
        }
    }
}

void apply_environment(
    const config_sources& sources, const std::filesystem::path& folder, config_draft& draft) {
    for (const config_key& key : engine_config_keys()) {
        if (key.section == app_section) {
            continue;
        }
        const std::string name = environment_name(key);
        if (const auto text = lookup(sources, name)) {
            draft.assign(
                key, full_name(key), parse_config_value(key, *text),
                {.file = "environment variable " + name, .line = 0}, folder);
        }
    }
    refuse_unknown_variables(sources, draft);
}

void apply_flags(
    const config_sources& sources, const config_table& table, const std::filesystem::path& folder,
    config_draft& draft) {
    const std::vector<config_flag> known = config_flags();
    std::vector<std::string_view> names;
    for (const config_flag& each : known) {
        names.push_back(each.key);
    }
    for (const auto& [name, text] : sources.flags) {
        const config_draft::origin where{.file = "command line", .line = 0};
        const auto found =
            std::ranges::find_if(table.keys(), [&](const config_key& key) { return full_name(key) == name; });
        if (found != table.keys().end() && table.section(found->section)->in_environment) {
            draft.assign(*found, name, parse_config_value(*found, text), where, folder);
        } else if (found != table.keys().end()) {
            draft.problem_at(where, name, "apps are set in the file only");
        } else {
            const std::string_view meant = nearest(name, names);
            draft.problem_at(
                where, name,
                meant.empty() ? "unknown key" : "unknown key; did you mean " + std::string(meant) + "?");
        }
    }
}

void fill_in(settings& value) {
    if (value.engine.instance.empty()) {
        std::array<char, 256> name{};
        value.engine.instance = ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "tocsin";
    }
    if (value.engine.threads == 0) {
        value.engine.threads = std::max(1U, std::thread::hardware_concurrency());
    }
}

}  // namespace

std::string config_problem::describe() const {
    std::string out = file;
    if (line != 0) {
        out += ":" + std::to_string(line);
    }
    if (!out.empty()) {
        out += ": ";
    }
    if (!key.empty()) {
        out += key + ": ";
    }
    return out + message;
}

config_sources process_config_sources() {
    config_sources out;
    out.environment = [](const std::string& name) -> std::optional<std::string> {
        const char* const value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        out.environment_names.emplace_back(text.substr(0, text.find('=')));
    }
    return out;
}

std::vector<config_flag> config_flags() {
    std::vector<config_flag> out;
    for (const config_key& key : engine_config_keys()) {
        if (key.section != app_section) {
            out.push_back({full_name(key), environment_name(key), key.help});
        }
    }
    return out;
}

config_outcome load_config(const config_sources& sources, platform_configurations platforms) {
    const config_table table(platforms);
    config_draft draft(table);
    // What a person types is relative to where the person is; what the file says, to the file.
    std::error_code problem;
    const std::filesystem::path here = std::filesystem::current_path(problem);

    const std::filesystem::path file = choose_file(sources);
    draft.value.file = file;
    draft.keys = sources.keys;
    draft.credentials_directory = lookup(sources, "CREDENTIALS_DIRECTORY").value_or("");
    if (!file.empty()) {
        read_config_file(file, table, draft);
    }
    const bool readable = draft.sound("");
    apply_environment(sources, here, draft);
    apply_flags(sources, table, here, draft);
    if (readable) {
        check_config(draft, table, sources.now);
    }

    config_outcome out;
    out.problems = draft.take_problems();
    out.value = std::move(draft.value);
    out.value.origins = std::make_shared<const config_origins>(draft.take_origins());
    if (!file.empty()) {
        out.value.file = (here / file).lexically_normal();
    }
    fill_in(out.value);
    return out;
}

}  // namespace tocsin
