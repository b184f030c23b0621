#pragma once

#include "tools/proof/reach_rows.hpp"

#include <span>
#include <string>

namespace tocsin::proof {

enum class csv_form : std::uint8_t {
    plain,  ///< RFC 4180: UTF-8, commas, decimal points.
    excel   ///< What a French spreadsheet opens by itself: byte order mark, semicolons, decimal commas.
};

/// A line with the names of the columns, then one a commune; lines end in CR LF. The columns are always the
/// same, and a cell is empty if the event does not count it. Shares have four decimals.
[[nodiscard]] std::string reach_csv(std::span<const reach_row> rows, csv_form form);

}  // namespace tocsin::proof
