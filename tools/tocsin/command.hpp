#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// A command describes itself once: the parser, --help, the reference page, the manual pages and the
// completions are all made of this description.

namespace tocsin::cli {

/// For every command.
struct common_options {
    std::string config;  ///< --config; empty: where load_config() looks.
    std::vector<std::pair<std::string, std::string>> settings;  ///< "redis.url" and the like.
    bool json = false;
    bool show_tokens = false;
};

/// Where a command stands in the overview.
enum class command_group : std::uint8_t { run, publish, look, devices, test, help };
inline constexpr std::size_t command_group_count = 6;
[[nodiscard]] std::string_view to_string(command_group group) noexcept;

/// One option ("--to") or argument ("EVENT") of a command, and the variable that receives it. What the
/// variable holds before parsing is the default. A bool makes a flag, a vector may be given repeatedly.
class option {
public:
    using destination = std::variant<
        bool*, std::string*, std::filesystem::path*, std::vector<std::string>*, std::optional<long>*,
        std::uint16_t*, std::uint32_t*, std::uint64_t*, double*>;

    /// `into` must outlive the parse: command::run shares its ownership. `help` may hold `code` and
    /// [links](to/pages.md), which a terminal is not shown.
    template <class T>
    option(std::string name, T& into, std::string help)
        : name_(std::move(name)), into_(&into), help_(std::move(help)) {}

    /// The word that stands for the value in help: "FILE" and "DIR" complete file names.
    option& value(std::string word) { return set(value_, std::move(word)); }
    /// The default, as help shows it.
    option& preset(std::string text) { return set(preset_, std::move(text)); }
    option& one_of(std::vector<std::string> words) { return set(choices_, std::move(words)); }
    option& between(double least, double most) { return set(range_, std::pair(least, most)); }
    /// A text that the option may be given without ("--csv") or with ("--csv=excel"): `text` is what it then
    /// has.
    option& bare(std::string text) { return set(bare_, std::move(text)); }
    option& required() { return set(required_, true); }
    /// `problem` returns what is wrong with a value, or nothing.
    option& checked(std::function<std::string(const std::string&)> problem) {
        return set(check_, std::move(problem));
    }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const destination& into() const noexcept { return into_; }
    [[nodiscard]] const std::string& help() const noexcept { return help_; }
    [[nodiscard]] const std::string& preset() const noexcept { return preset_; }
    [[nodiscard]] const std::vector<std::string>& choices() const noexcept { return choices_; }
    [[nodiscard]] const std::optional<std::pair<double, double>>& range() const noexcept { return range_; }
    [[nodiscard]] bool is_required() const noexcept { return required_; }
    [[nodiscard]] const std::function<std::string(const std::string&)>& check() const noexcept {
        return check_;
    }

    [[nodiscard]] const std::string& bare() const noexcept { return bare_; }

    [[nodiscard]] bool is_argument() const noexcept { return !name_.starts_with('-'); }
    [[nodiscard]] bool is_flag() const noexcept { return std::holds_alternative<bool*>(into_); }
    [[nodiscard]] bool is_list() const noexcept {
        return std::holds_alternative<std::vector<std::string>*>(into_);
    }
    /// "SELECTOR"; a number or a text if nobody said more; empty for a flag.
    [[nodiscard]] std::string value_word() const;
    /// "--to SELECTOR", "--csv[=FORM]", "EVENT".
    [[nodiscard]] std::string spelled() const;
    /// "--to SELECTOR …", "[EVENT]": as a synopsis has it.
    [[nodiscard]] std::string synopsis() const;

private:
    template <class T>
    option& set(T& member, T to) {
        member = std::move(to);
        return *this;
    }
    option& set(std::optional<std::pair<double, double>>& member, std::pair<double, double> to) {
        member = to;
        return *this;
    }

    std::string name_;
    destination into_;
    std::string help_;
    std::string value_;
    std::string preset_;
    std::string bare_;
    std::vector<std::string> choices_;
    std::optional<std::pair<double, double>> range_;
    bool required_ = false;
    std::function<std::string(const std::string&)> check_;
};

/// A command: its words, its options, its work. `NAME.cpp` defines `command NAME_command()`, and a line of
/// tools/tocsin/CMakeLists.txt adds it to all_commands().
struct command {
    std::string name;
    command_group group = command_group::look;
    std::string summary;   ///< One line of at most 60 characters, with its full stop.
    std::string examples;  ///< Command lines; help indents them.
    std::vector<option> options{};
    /// What the options do not say: paragraphs apart by an empty line, those that begin with a blank shown
    /// as they are. May hold `code` and [links](to/pages.md).
    std::string details{};
    /// Returns the exit code. Empty if one of `actions` has to be named.
    std::function<int(const common_options&)> run{};
    std::vector<command> actions{};
};

/// Every command, in the order of the overview.
[[nodiscard]] std::vector<command> all_commands();

}  // namespace tocsin::cli
