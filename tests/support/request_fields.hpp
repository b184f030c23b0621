#pragma once

#include "providers/http2/client.hpp"

#include <cstddef>
#include <map>
#include <string>

namespace tocsin::testing {

/// The header fields of a request, by name.
[[nodiscard]] inline std::map<std::string, std::string> fields_of(const http2::request& what) {
    std::map<std::string, std::string> out;
    for (std::size_t i = 0; i < what.field_count; ++i) {
        out.emplace(what.fields[i].name, what.fields[i].value);
    }
    return out;
}

}  // namespace tocsin::testing
