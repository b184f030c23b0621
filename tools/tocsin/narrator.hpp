#pragma once

#include "tools/tocsin/console.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace tocsin::cli {

/// Tells what a command does while it does it: on standard output, unless that is for JSON.
class narrator {
public:
    explicit narrator(bool json) noexcept : json_(json) {}
    void operator()(std::string_view text) const {
        if (!json_) {
            print(text);
            return;
        }
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            if (end != 0) {
                complain(text.substr(0, end));
            }
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }
    [[nodiscard]] std::string in(ink how, std::string_view text) const {
        return json_ ? std::string(text) : inked(how, text);
    }

private:
    bool json_;
};

}  // namespace tocsin::cli
