#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// Which localisation of a message a device gets: its own locale, else its language, else the
/// default, number 0. "fr_CA" and "FR-ca" are the same locale.
class locale_table {
public:
    /// Gives the next number, starting at 1, to `locale`.
    void add(std::string_view locale);

    [[nodiscard]] std::uint16_t find(std::string_view locale) const noexcept;
    /// How many variants there are, the default included.
    [[nodiscard]] std::size_t size() const noexcept { return names_.size() + 1; }

private:
    std::vector<std::string> names_;  ///< names_[n - 1] is variant n.
};

}  // namespace tocsin
