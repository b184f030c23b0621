#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tocsin {

/// Where each value of a configuration came from.
///
/// A place is written like "redis.url" or "app.1.communes", the second app's.
class config_origins {
public:
    struct origin {
        std::string file;
        std::uint32_t line = 0;
    };

    void note(const std::string& place, origin where) { places_[place] = std::move(where); }

    /// Of a place that came from nowhere (a missing key): of the table around it. Nothing if that came from
    /// nowhere, too.
    [[nodiscard]] std::optional<origin> of(std::string_view place) const;

private:
    std::map<std::string, origin, std::less<>> places_;
};

/// "app.1.communes" as a person would write it: "app.communes".
[[nodiscard]] std::string shown_place(std::string_view place);

}  // namespace tocsin
