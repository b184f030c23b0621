#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/ops/config_draft.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace tocsin {

/// The checks that parts of a configuration have in common. Each looks at the value of one place, and records
/// what is wrong with it unless something has been recorded of it before.
class config_checks {
public:
    config_checks(config_draft& draft, wall_time now) : draft_(draft), now_(now) {}

    /// False once a problem was recorded at this place.
    [[nodiscard]] bool sound(const std::string& place) const { return draft_.sound(place); }
    void problem(const std::string& place, std::string message) { draft_.problem(place, std::move(message)); }

    /// `message`: what is said if the value is empty.
    void require(const std::string& value, const std::string& place, std::string_view message);

    using file_check = std::function<parsed<>(const std::string& path)>;
    /// Of a file that is named; asks `check` once for all places whose key, file and circumstances are the
    /// same.
    void check_file(
        const std::string& path, const std::string& place, const file_check& check,
        std::string_view circumstances = "");
    /// A file of extra trust roots.
    void check_root(const std::string& path, const std::string& place);
    /// A client certificate and its key.
    void check_certificate_pair(
        const std::string& certificate, const std::string& certificate_place, const std::string& key,
        const std::string& key_place);

private:
    config_draft& draft_;
    const wall_time now_;
    std::map<std::string, parsed<>> checked_;
};

}  // namespace tocsin
