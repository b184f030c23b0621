#include "engine/civil/commune_zone.hpp"

#include "engine/audience/territories.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

const territories& places() {
    static const territories loaded = territories::load({}).value();
    return loaded;
}

// Every department and collectivity outside metropolitan France, by its code.
const std::map<std::string_view, std::string_view> overseas{
    {"971", "America/Guadeloupe"},
    {"972", "America/Martinique"},
    {"973", "America/Cayenne"},
    {"974", "Indian/Reunion"},
    {"975", "America/Miquelon"},
    {"976", "Indian/Mayotte"},
    {"977", "America/St_Barthelemy"},
    {"978", "America/Marigot"},
    {"984", "Indian/Kerguelen"},
    {"986", "Pacific/Wallis"},
    {"987", "Pacific/Tahiti"},
    {"988", "Pacific/Noumea"},
    {"989", "Etc/GMT+8"}};

// The communes that keep another time than the rest of their territory.
const std::map<std::string_view, std::string_view> exceptions{
    {"98413", "Indian/Reunion"},    {"98414", "Antarctica/DumontDUrville"}, {"98415", "Indian/Mayotte"},
    {"98718", "Pacific/Marquesas"}, {"98719", "Pacific/Gambier"},           {"98723", "Pacific/Marquesas"},
    {"98731", "Pacific/Marquesas"}, {"98746", "Pacific/Marquesas"},         {"98756", "Pacific/Marquesas"},
    {"98757", "Pacific/Marquesas"}};

TEST(CommuneZone, EveryCommuneOfEveryDepartmentAndCollectivityHasItsOwn) {
    std::set<std::string> departments;
    for (const commune& one : places().all()) {
        const std::string department = to_string(one.department);
        departments.insert(department);
        const auto elsewhere = overseas.find(department);
        std::string_view expected = elsewhere == overseas.end() ? "Europe/Paris" : elsewhere->second;
        if (const auto other = exceptions.find(to_string(one.id)); other != exceptions.end()) {
            expected = other->second;
        }
        ASSERT_EQ(zone_of(one.id), expected) << to_string(one.id) << " " << one.name;
    }
    EXPECT_EQ(departments.size(), 96U + overseas.size());
}

TEST(CommuneZone, BothCorsicasAreMetropolitan) {
    EXPECT_EQ(zone_of(*parse_commune_id("2A004")), "Europe/Paris");
    EXPECT_EQ(zone_of(*parse_commune_id("2B033")), "Europe/Paris");
}

TEST(CommuneZone, TheListOfZonesHoldsEachOnce) {
    std::set<std::string_view> used;
    for (const commune& one : places().all()) {
        used.insert(zone_of(one.id));
    }
    const auto listed = commune_zones();
    EXPECT_EQ(std::set<std::string_view>(listed.begin(), listed.end()), used);
    EXPECT_EQ(listed.size(), used.size());
}

}  // namespace
}  // namespace tocsin
