#pragma once

#include "engine/core/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// An element of an XML document, with the line that its start tag begins on.
struct xml_element {
    std::string name_space;  ///< Its namespace's URI; empty if it has none.
    std::string name;        ///< Without prefix.
    std::string text;        ///< All text directly in it, joined.
    std::size_t line = 0;
    std::vector<xml_element> children;
};

struct xml_limits {
    std::size_t bytes = std::size_t{4} * 1024 * 1024;
    std::size_t depth = 16;
    std::size_t elements = 200'000;
};

/// Reads a document from a stranger. Entities other than XML's own five cannot be declared, since a DOCTYPE
/// is refused before anything in it is read: nothing expands, and nothing outside of the text is looked at.
///
/// A refusal begins with "line N: ". Its code is "not_xml", "doctype" or "too_large".
[[nodiscard]] parsed<xml_element> read_xml(std::string_view document, const xml_limits& limits = {});

}  // namespace tocsin
