#pragma once

#include "engine/core/error.hpp"
#include "tools/cap/xml_reader.hpp"

namespace tocsin {

/// Checks an `alert` element against the form of CAP 1.2, section 3.2: which elements there may be in which,
/// how often, and what they may hold. The first fault in the order of the document's lines is the one that is
/// told.
[[nodiscard]] parsed<> check_cap_form(const xml_element& alert);

/// The text of an element without the white space around it.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

/// "line 12: " in front of a sentence.
[[nodiscard]] refusal cap_refusal(std::string code, std::size_t line, std::string_view sentence);

inline constexpr std::string_view cap_namespace = "urn:oasis:names:tc:emergency:cap:1.2";

}  // namespace tocsin
