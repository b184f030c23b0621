#pragma once

#include "engine/core/error.hpp"
#include "engine/event/publish_event.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
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

/// Makes the variants of a message: one of the event's own words, and one of each language that it has others
/// for. `add(text, locale)` appends one; `text` is null for the event's own.
template <class Add>
[[nodiscard]] parsed<locale_table> make_variants(const publish_event& event, Add add) {
    if (parsed<> done = add(nullptr, std::string_view()); done.has_error()) {
        return std::move(done).error();
    }
    locale_table out;
    for (const auto& [locale, text] : event.localized) {
        if (parsed<> done = add(&text, locale); done.has_error()) {
            return std::move(done).error();
        }
        out.add(locale);
    }
    return out;
}

/// The refusal of a variant that is larger than its provider takes. `what`: "APNs payload".
[[nodiscard]] refusal payload_too_large(
    std::string_view what, const std::string& app, std::string_view locale, std::size_t size,
    std::size_t limit);

}  // namespace tocsin
