#include "engine/intake/receipt_intake.hpp"

#include "providers/known_platforms.hpp"
#include "tests/support/manual_time.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(CheckReceipt, AReceiptMustAgreeWithWhatItsEventWas) {
    const territories places = territories::parse(
                                   "insee,name,population,department,epci\n"
                                   "21231,Dijon,9000,21,\n"
                                   "21054,Beaune,9000,21,\n",
                                   "epci,name,type,communes,population\n")
                                   .value();
    testing::manual_time time;
    event_preparer known(places, known_platforms(), event_limits{}, time);
    known.set_apps({{"mairies", true, {}, {}}, {"dijon", true, {}, {}}});

    receipt_terms sent;
    sent.entry = "1-0";
    sent.asked = true;
    sent.begun = true;
    sent.apps = {"mairies", "former"};
    const selector dijon{.kind = selector_kind::commune, .value = "21231"};
    sent.whom = audience::resolve(known_platforms(), std::span(&dijon, 1), places).value();
    receipt_terms silent = sent;
    silent.asked = false;
    receipt_terms waiting = sent;
    waiting.begun = false;

    struct row {
        const receipt_terms* event;
        std::string app;
        std::vector<std::string> communes;
        std::string refused;
    };
    const std::vector<row> rows{
        {&sent, "mairies", {"21231"}, ""},
        {&sent, "former", {"21231"}, ""},  // Taken out of the configuration since.
        {&sent, "nobody", {"21231"}, "unknown_app"},
        {nullptr, "nobody", {"21231"}, "unknown_app"},
        {nullptr, "mairies", {"21231"}, "unknown_event"},
        {&silent, "mairies", {"21231"}, "receipts_not_asked"},
        {&waiting, "mairies", {"21231"}, "event_not_sent"},
        {&sent, "dijon", {"21231"}, "app_not_targeted"},
        {&sent, "mairies", {"21054"}, "commune_not_targeted"},
        {&sent, "mairies", {"21231", "21054"}, "commune_not_targeted"},
        {&sent, "mairies", {"21231", "99123"}, "unknown_commune"},
        {&sent, "mairies", {}, ""},
    };
    for (const row& each : rows) {
        receipt what;
        what.event = "crue";
        what.app = each.app;
        for (const std::string& code : each.communes) {
            what.counts.emplace_back(*parse_commune_id(code), 1);
        }
        const auto checked = check_receipt(what, each.event, known);
        EXPECT_EQ(checked.has_error() ? checked.error().code : "", each.refused)
            << each.app << " row " << &each - rows.data();
    }
}

}  // namespace
}  // namespace tocsin
