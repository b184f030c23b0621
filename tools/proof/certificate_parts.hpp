#pragma once

#include "tools/proof/certificate.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the sections of a certificate are made of.

namespace tocsin::proof {

/// A value that is shown, in an element of its own that carries the name by which a verification calls it.
/// `text` is HTML.
[[nodiscard]] std::string value(std::string_view name, std::string_view text, std::string_view tag = "span");
/// The same of a count; a dash if there is none.
[[nodiscard]] std::string counted(
    std::string_view name, const std::optional<std::uint64_t>& count, std::string_view tag = "td");

/// A moment in a result document; a dash if it is not what it should be.
[[nodiscard]] std::string time_in(const boost::json::object& result, std::string_view name);

/// The first `most` characters, and a sign that there were more.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most);

/// The table of communes, in the order of `rows`; empty if there are none.
[[nodiscard]] std::string communes_section(const std::vector<reach_row>& rows, const reach_row& sum);

/// The element that carries the stamp: what stamp_in() reads.
[[nodiscard]] std::string stamp_tag(const certificate_stamp& stamp);

}  // namespace tocsin::proof
