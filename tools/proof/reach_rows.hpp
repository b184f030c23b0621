#pragma once

#include "engine/audience/territories.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::proof {

/// What a report counts for a commune. Shares are made of these.
enum class measure : std::uint8_t { population, targeted, accepted, received, displayed, opened };
constexpr std::size_t measure_count = 6;
inline constexpr std::array<std::string_view, measure_count> measure_names{
    "population", "targeted", "accepted", "received", "displayed", "opened"};

/// A line of a report. What is not counted for an event (receipts that it did not ask for) is empty.
struct reach_row {
    std::string insee;
    std::string name;        ///< Empty: no such commune is known.
    std::string department;  ///< Its code; empty as the name.
    std::array<std::optional<std::uint64_t>, measure_count> counts{};

    [[nodiscard]] std::optional<std::uint64_t>& of(measure which) noexcept {
        return counts[static_cast<std::size_t>(which)];
    }
    [[nodiscard]] const std::optional<std::uint64_t>& of(measure which) const noexcept {
        return counts[static_cast<std::size_t>(which)];
    }
    /// The largest of the three kinds of receipts; empty if none is counted.
    [[nodiscard]] std::optional<std::uint64_t> confirmed() const noexcept;
    /// `part` over the inhabitants; empty if either is not known, or nobody lives there.
    [[nodiscard]] std::optional<double> share(const std::optional<std::uint64_t>& part) const noexcept;
};

/// The lines of a report's `communes` (by INSEE code), in the order of codes.
[[nodiscard]] std::vector<reach_row> reach_rows(
    const boost::json::object& communes, const territories& places);

/// Whether any row counts `which`.
[[nodiscard]] bool counts(std::span<const reach_row> rows, measure which) noexcept;
/// All of them in one, without a code and a name.
[[nodiscard]] reach_row sum_of(std::span<const reach_row> rows);

/// By what rows can be ordered: "insee", "name", a measure, "reach" or "confirmed_reach".
[[nodiscard]] std::vector<std::string> sort_words();
/// Codes and names from A on, numbers from the largest down; of equals the lower code first. `by` is one of
/// sort_words(). Names are compared without accents and articles keep their place: "Le Havre" stands at L.
void sort_rows(std::vector<reach_row>& rows, std::string_view by);
/// Keeps the rows of these departments' codes; of all if there are none.
void keep_departments(std::vector<reach_row>& rows, std::span<const std::string> codes);

}  // namespace tocsin::proof
