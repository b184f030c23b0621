#pragma once

#include "engine/core/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// Reads records of comma-separated values (RFC 4180): quoted fields may hold commas, doubled
/// quotes and line ends; lines end in LF or CRLF, the last one with or without.
class csv_reader {
public:
    /// `text` must outlive the reader. A byte order mark in front is passed over.
    explicit csv_reader(std::string_view text) noexcept;

    /// The next record, or nothing at the end. The refusal is of malformed quoting.
    [[nodiscard]] parsed<std::optional<std::vector<std::string>>> next();

    /// The line, from 1, on which the last record began.
    [[nodiscard]] std::size_t line() const noexcept { return line_; }

private:
    [[nodiscard]] parsed<std::string> quoted_field();

    std::string_view rest_;
    std::size_t line_ = 0;
    std::size_t next_line_ = 1;
};

}  // namespace tocsin
