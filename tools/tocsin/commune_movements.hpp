#pragma once

#include "engine/audience/territories.hpp"
#include "engine/core/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

/// What has become of communes, by INSEE's table of events ("mvtcommune", Code officiel géographique), or by
/// a table of our own with the columns `from` and `to`.
class commune_movements {
public:
    /// CSV with a header. Of INSEE's columns MOD, DATE_EFF, TYPECOM_AV, COM_AV, TYPECOM_AP and COM_AP are
    /// read; COM_AV and COM_AP must be there. A refusal names the line.
    [[nodiscard]] static parsed<commune_movements> parse(std::string_view csv);

    /// The commune that `code` is a part of today, through as many events as it takes. Empty if the table
    /// does not say; several if it was divided, and which of them a resident lives in is not known.
    [[nodiscard]] std::vector<commune_id> today(commune_id code, const territories& known) const;

private:
    struct movement {
        commune_id from{0};
        std::string date;  ///< 2019-01-01; empty if the table has none.
        commune_id to{0};
    };
    [[nodiscard]] std::vector<movement>::const_iterator last_of(
        commune_id code, std::string_view not_before) const;

    std::vector<movement> all_;  ///< By code, then date.
};

}  // namespace tocsin::cli
