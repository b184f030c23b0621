// The whole parser is compiled here and nowhere else. Debian's shared library of it is built with
// exceptions, which change the names of its functions.
#define TOML_HEADER_ONLY 1
#define TOML_SHARED_LIB 0
#define TOML_EXCEPTIONS 0

#include "engine/core/text.hpp"
#include "engine/ops/config_draft.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <span>
#include <system_error>
#include <utility>

#include <toml++/toml.h>

namespace tocsin {
namespace {

std::string_view type_name(const toml::node& node) noexcept {
    switch (node.type()) {
        case toml::node_type::table: return "a table";
        case toml::node_type::array: return "a list";
        case toml::node_type::string: return "a text";
        case toml::node_type::integer: return "a whole number";
        case toml::node_type::floating_point: return "a number with a fraction";
        case toml::node_type::boolean: return "true or false";
        case toml::node_type::date:
        case toml::node_type::time:
        case toml::node_type::date_time: return "a date or time";
        case toml::node_type::none: break;
    }
    return "nothing";
}

refusal wrong_type(const config_key& key, const toml::node& found) {
    return {"type", expected_text(key) + "; this is " + std::string(type_name(found))};
}

parsed<config_value> value_of(const config_key& key, const toml::node& node) {
    switch (key.kind) {
        case config_kind::text:
        case config_kind::path:
            if (const auto* const text = node.as_string()) {
                return check_config_value(key, text->get());
            }
            break;
        case config_kind::count:
            if (const auto* const number = node.as_integer()) {
                if (number->get() < 0) {
                    return refusal{"range", expected_text(key) + ", not " + std::to_string(number->get())};
                }
                return check_config_value(key, static_cast<std::uint64_t>(number->get()));
            }
            break;
        case config_kind::interval:
            if (const auto* const text = node.as_string()) {
                return parse_config_value(key, text->get());
            }
            if (const auto* const seconds = node.as_integer()) {
                return parse_config_value(key, std::to_string(seconds->get()));
            }
            break;
        case config_kind::list:
            if (const auto* const list = node.as_array()) {
                std::vector<std::string> out;
                for (const toml::node& element : *list) {
                    const auto* const text = element.as_string();
                    if (text == nullptr) {
                        return wrong_type(key, element);
                    }
                    out.push_back(text->get());
                }
                return config_value(std::move(out));
            }
            break;
    }
    return wrong_type(key, node);
}

class reader {
public:
    reader(const std::filesystem::path& file, const config_table& table, config_draft& draft)
        : name_(file.string()),
          folder_(std::filesystem::absolute(file).parent_path()),
          table_(table),
          draft_(draft) {}

    void read_root(const toml::table& root) {
        for (const auto& [key, node] : root) {
            const std::string name(key.str());
            const config_section* const section = is_inside(name) ? nullptr : table_.section(name);
            if (section == nullptr) {
                unknown_section(key);
            } else if (section->path == app_section) {
                read_apps(*section, key, node);
            } else if (const toml::table* const table = table_at(key, node, name, section->header)) {
                read_section(*section, name, *table);
            }
        }
    }

private:
    /// Whether the section at this path is a table inside another.
    static bool is_inside(std::string_view path) noexcept { return path.find('.') != std::string_view::npos; }

    [[nodiscard]] config_draft::origin at(const toml::source_region& region) const {
        return {.file = name_, .line = static_cast<std::uint32_t>(region.begin.line)};
    }

    /// The table of a section; null, and a problem, if it is something else.
    const toml::table* table_at(
        const toml::key& key, const toml::node& node, const std::string& place, std::string_view header) {
        const toml::table* const table = node.as_table();
        if (table == nullptr) {
            draft_.problem_at(
                at(key.source()), place,
                "must be a table, which begins with " + std::string(header) + "; this is " +
                    std::string(type_name(node)));
            return nullptr;
        }
        draft_.came_from(place, at(key.source()));
        return table;
    }

    void read_apps(const config_section& section, const toml::key& key, const toml::node& node) {
        const toml::array* const apps = node.as_array();
        if (apps == nullptr ||
            !std::ranges::all_of(*apps, [](const toml::node& each) { return each.is_table(); })) {
            draft_.problem_at(at(key.source()), "app", "each app is a table that begins with [[app]]");
            return;
        }
        for (const toml::node& each : *apps) {
            const std::string place = "app." + std::to_string(draft_.value.apps.size());
            draft_.value.apps.emplace_back();
            draft_.came_from(place, at(each.source()));
            read_section(section, place, *each.as_table());
        }
    }

    void read_section(const config_section& section, const std::string& place, const toml::table& table) {
        for (const auto& [key, node] : table) {
            const std::string name(key.str());
            const std::string here = place + "." + name;
            if (const config_key* const known = table_.key(section.path, name)) {
                draft_.assign(*known, here, value_of(*known, node), at(key.source()), folder_);
            } else if (const platform_configuration* const inner = table_inside(section, name)) {
                read_platform(*inner, key, node, here);
            } else {
                unknown_key(section, here, key);
            }
        }
    }

    const platform_configuration* table_inside(const config_section& section, const std::string& name) {
        return section.path == app_section ? table_.platform_at(std::string(app_section) + "." + name)
                                           : nullptr;
    }

    void read_platform(
        const platform_configuration& which, const toml::key& key, const toml::node& node,
        const std::string& place) {
        const config_section& section = which.section();
        if (const toml::table* const table = table_at(key, node, place, section.header)) {
            draft_.value.apps.back().platforms[which.kind()] = which.fresh();
            read_section(section, place, *table);
        }
    }

    void unknown_section(const toml::key& key) {
        std::vector<std::string_view> names;
        for (const config_section& each : table_.sections()) {
            if (!is_inside(each.path)) {
                names.push_back(each.path);
            }
        }
        std::string message = "unknown section; " + suggestion(key.str(), names, "the file");
        draft_.problem_at(at(key.source()), key.str(), std::move(message));
    }

    void unknown_key(const config_section& section, const std::string& place, const toml::key& key) {
        const std::vector<std::string_view> names = table_.names_in(section.path);
        std::string message = "unknown key; ";
        const auto elsewhere = std::ranges::find(table_.keys(), key.str(), &config_key::name);
        if (nearest(key.str(), names).empty() && elsewhere != table_.keys().end()) {
            message += std::string(key.str()) + " belongs in " +
                       std::string(table_.section(elsewhere->section)->header);
        } else {
            message += suggestion(key.str(), names, section.header);
        }
        draft_.problem_at(at(key.source()), place, std::move(message));
    }

    static std::string suggestion(
        std::string_view word, std::span<const std::string_view> names, std::string_view where) {
        if (const std::string_view meant = nearest(word, names); !meant.empty()) {
            return "did you mean " + std::string(meant) + "?";
        }
        std::string out = std::string(where) + " takes ";
        for (std::size_t i = 0; i < names.size(); ++i) {
            out += (i == 0 ? "" : ", ") + std::string(names[i]);
        }
        return out;
    }

    const std::string name_;
    const std::filesystem::path folder_;
    const config_table& table_;
    config_draft& draft_;
};

}  // namespace

void read_config_file(const std::filesystem::path& file, const config_table& table, config_draft& draft) {
    std::error_code problem;
    const bool folder = std::filesystem::is_directory(file, problem);
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (folder || !in) {
        const std::string why =
            folder ? "it is a folder" : std::generic_category().message(errno != 0 ? errno : EIO);
        draft.problem_at({.file = file.string(), .line = 0}, "", "the file cannot be read: " + why);
        return;
    }
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const toml::parse_result parsed_file = toml::parse(text);
    if (!parsed_file) {
        const toml::parse_error& error = parsed_file.error();
        const toml::source_position where = error.source().begin;
        draft.problem_at(
            {.file = file.string(), .line = static_cast<std::uint32_t>(where.line)}, "",
            "malformed TOML at column " + std::to_string(where.column) + ": " +
                std::string(error.description()));
        return;
    }
    reader(file, table, draft).read_root(parsed_file.table());
}

}  // namespace tocsin
