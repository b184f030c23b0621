#include "tools/tocsin/command.hpp"

#include <array>

namespace tocsin::cli {

std::string_view to_string(command_group group) noexcept {
    constexpr std::array<std::string_view, command_group_count> names{"run",     "publish", "look",
                                                                      "devices", "test",    "help"};
    return names.at(static_cast<std::size_t>(group));
}

std::string option::value_word() const {
    if (is_flag()) {
        return "";
    }
    if (!value_.empty()) {
        return value_;
    }
    if (std::holds_alternative<std::string*>(into_) || is_list()) {
        return "TEXT";
    }
    return std::holds_alternative<std::filesystem::path*>(into_) ? "FILE" : "NUMBER";
}

std::string option::spelled() const {
    const std::string word = value_word();
    if (is_argument() || word.empty()) {
        return name_;
    }
    return bare_.empty() ? name_ + " " + word : name_ + "[=" + word + "]";
}

std::string option::synopsis() const {
    std::string out = spelled();
    if (is_list()) {
        out += " …";
    }
    return required_ ? out : "[" + out + "]";
}

}  // namespace tocsin::cli
