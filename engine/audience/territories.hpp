#pragma once

#include "engine/core/error.hpp"
#include "engine/event/territory.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

struct commune {
    commune_id id{0};
    std::uint32_t population = 0;
    department_id department{0};
    std::optional<epci_id> epci;  ///< A few islands belong to none.
    std::string name;
};

/// Every commune there is, and what it belongs to. Immutable once loaded; shared by all threads.
class territories {
public:
    /// From `file`, or from the bundled data if it is empty. A refusal names the line.
    [[nodiscard]] static parsed<territories> load(const std::filesystem::path& file);

    /// From CSV text: communes as insee,name,population,department,epci (that header first), and
    /// the names of EPCIs as epci,name,… of which further columns are ignored. `former` is
    /// code,commune,…: what has become of codes that are no commune's.
    [[nodiscard]] static parsed<territories> parse(
        std::string_view communes, std::string_view epci, std::string_view former = {});

    /// Null if there is no such commune.
    [[nodiscard]] const commune* find(commune_id id) const noexcept;
    /// Ordered by id.
    [[nodiscard]] std::span<const commune> all() const noexcept { return communes_; }

    /// Ordered by id; empty if there is no such EPCI or department.
    [[nodiscard]] std::span<const commune_id> of_epci(epci_id id) const noexcept;
    [[nodiscard]] std::span<const commune_id> of_department(department_id id) const noexcept;

    /// Inhabitants; 0 if there is no such commune.
    [[nodiscard]] std::uint32_t population(commune_id id) const noexcept;
    [[nodiscard]] std::uint64_t total_population() const noexcept { return total_population_; }
    /// Empty if unknown: names are for people, nothing depends on them.
    [[nodiscard]] std::string_view name(commune_id id) const noexcept;
    [[nodiscard]] std::string_view epci_name(epci_id id) const noexcept;

    /// The communes of today that `code`, which is none's, is a part of, as far as they are known here.
    [[nodiscard]] std::vector<commune_id> successors(commune_id code) const;
    /// True of a commune that there is, and of what was one, by what is bundled or by `former`.
    [[nodiscard]] bool ever_existed(commune_id code) const noexcept;

    /// The codes that exist, for suggestions.
    [[nodiscard]] std::vector<std::string> epci_codes() const;
    [[nodiscard]] std::vector<std::string> department_codes() const;

private:
    [[nodiscard]] parsed<> read_communes(std::string_view csv);
    [[nodiscard]] parsed<> read_epci_names(std::string_view csv);
    [[nodiscard]] parsed<> read_former(std::string_view csv);
    void remember_bundled();

    std::vector<commune> communes_;
    std::map<epci_id, std::vector<commune_id>> by_epci_;
    std::map<department_id, std::vector<commune_id>> by_department_;
    std::map<epci_id, std::string> epci_names_;
    std::vector<std::pair<commune_id, commune_id>> former_;  ///< Code and commune, ordered.
    std::vector<commune_id> bundled_;  ///< Ordered; empty if communes_ are the bundled ones.
    std::uint64_t total_population_ = 0;
};

}  // namespace tocsin
