#include "engine/plan/event_preparer.hpp"

#include "engine/plan/ledger_names.hpp"
#include "providers/known_platforms.hpp"
#include "tests/support/manual_time.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

namespace names = ledger_names;
using namespace std::chrono_literals;

/// Renders what it is given, but for events with a title that it does not like.
class choosy_provider final : public provider {
public:
    choosy_provider(std::string app, platform on, std::string dislikes = {})
        : app_(std::move(app)), on_(on), dislikes_(std::move(dislikes)) {}

    [[nodiscard]] const std::string& app() const noexcept override { return app_; }
    [[nodiscard]] platform kind() const noexcept override { return on_; }
    [[nodiscard]] parsed<std::shared_ptr<const message>> render(const publish_event& event) const override {
        if (event.notification && event.notification->title == dislikes_) {
            return refusal{"payload_too_large", "it has 5000 bytes."};
        }
        return std::shared_ptr<const message>(std::make_shared<one_text>());
    }
    [[nodiscard]] std::unique_ptr<channel> open(const channel_context&) override { return nullptr; }
    [[nodiscard]] credential_state credential() const override { return {}; }
    [[nodiscard]] std::string explain(std::uint16_t, std::string_view) const override { return {}; }

private:
    class one_text final : public message {
    public:
        [[nodiscard]] std::uint16_t variant_for(std::string_view) const noexcept override { return 0; }
        [[nodiscard]] std::size_t largest_payload() const noexcept override { return 1; }
    };
    std::string app_;
    platform on_;
    std::string dislikes_;
};

/// "mairies" is everywhere, on both platforms; "dijon" serves Dijon alone, on APNs.
class EventPreparerTest : public ::testing::Test {
protected:
    EventPreparerTest() { preparer.set_apps(apps()); }

    static served_app app(std::string id, std::set<platform> on, std::string dislikes = {}) {
        served_app out;
        out.id = std::move(id);
        for (const platform each : on) {
            out.platforms.emplace(each, std::make_shared<choosy_provider>(out.id, each, dislikes));
        }
        return out;
    }
    static std::vector<served_app> apps() {
        std::vector<served_app> out;
        out.push_back(app("mairies", {platform::apns, platform::fcm}));
        out.back().everywhere = true;
        out.push_back(app("dijon", {platform::apns}));
        out.back().communes = {*parse_commune_id("21231")};
        return out;
    }
    parsed<std::shared_ptr<active_event>> accept(
        const std::string& audience, const std::string& more = "") const {
        return preparer.accept(document(audience, more), entry);
    }
    static std::string document(const std::string& audience, const std::string& more = "") {
        return R"({"id":"crue","audience":[")" + audience +
               R"("],"ttl":3600,"notification":{"title":"Crue"})" + more + "}";
    }
    static std::string named(const std::vector<target>& which) {
        std::string out;
        for (const target& each : which) {
            out += (out.empty() ? "" : " ") + to_string(each);
        }
        return out;
    }

    static const inline std::string entry = "1795000000000-7";
    testing::manual_time time;
    const territories places = territories::parse(
                                   "insee,name,population,department,epci\n"
                                   "21231,Dijon,9000,21,242100410\n"
                                   "21054,Beaune,9000,21,\n",
                                   "epci,name,type,communes,population\n"
                                   "242100410,Dijon Métropole,METRO,1,9000\n")
                                   .value();
    event_preparer preparer{places, known_platforms(), event_limits{}, time};
};

TEST_F(EventPreparerTest, AnEventIsForTheAppsThatServeItsAudienceOnThePlatformsOfItsDevices) {
    struct row {
        std::string audience;
        std::string apps;
        std::string wanted;
    };
    const std::string apns_token(64, 'a');
    const std::vector<row> rows{
        {"commune:21231", "", "dijon/apns mairies/apns mairies/fcm"},
        {"epci:242100410", "", "dijon/apns mairies/apns mairies/fcm"},
        {"everyone", "", "dijon/apns mairies/apns mairies/fcm"},
        {"zone:21231:quai", "", "dijon/apns mairies/apns mairies/fcm"},
        {"commune:21054", "", "mairies/apns mairies/fcm"},
        {"zone:21054:centre", "", "mairies/apns mairies/fcm"},
        {"commune:21231", R"("dijon")", "dijon/apns"},
        {"commune:21231", R"("mairies","dijon")", "dijon/apns mairies/apns mairies/fcm"},
        {"device:apns:" + apns_token, "", "dijon/apns mairies/apns"},
        {"device:fcm:abcdefghijklmnopqrst", "", "mairies/fcm"},
        {R"(device:fcm:abcdefghijklmnopqrst","commune:21054)", "", "dijon/apns mairies/apns mairies/fcm"},
    };
    for (const row& each : rows) {
        const auto event = accept(each.audience, each.apps.empty() ? "" : R"(,"apps":[)" + each.apps + "]");
        ASSERT_TRUE(event.has_value()) << each.audience << ": " << event.error().message;
        EXPECT_EQ(named((*event)->targets), each.wanted) << each.audience << " for " << each.apps;
        EXPECT_EQ((*event)->messages.size(), (*event)->targets.size());
        EXPECT_EQ((*event)->reception.size(), (*event)->targets.size());
    }
}

TEST_F(EventPreparerTest, WhatCannotBeSentIsRefusedWithTheReason) {
    struct row {
        std::string audience;
        std::string more;
        std::string code;
        std::string part_of_message;
    };
    const std::vector<row> rows{
        {"commune:21231", R"(,"apps":["mairie"])", "unknown_app", R"(did you mean "mairies"?)"},
        {"commune:21231", R"(,"apps":["dijon","zzzzzzzz"])", "unknown_app",
         R"(no app "zzzzzzzz" is configured.)"},
        {"commune:21054", R"(,"apps":["dijon"])", "no_app_serves_audience", "none of the named apps"},
        {"device:fcm:abcdefghijklmnopqrst", R"(,"apps":["dijon"])", "no_app_serves_audience",
         "none of the named apps"},
        {"commune:99999", "", "unknown_commune", "99999"},
    };
    for (const row& each : rows) {
        const auto event = accept(each.audience, each.more);
        ASSERT_TRUE(event.has_error()) << each.audience << each.more;
        EXPECT_EQ(event.error().code, each.code) << each.audience << each.more;
        EXPECT_NE(event.error().message.find(each.part_of_message), std::string::npos)
            << event.error().message;
    }
    EXPECT_TRUE(preparer.accept("{", entry).has_error());
    preparer.set_apps({});
    EXPECT_NE(accept("commune:21231").error().message.find("none of the configured apps"), std::string::npos);
}

TEST_F(EventPreparerTest, AMessageThatOneProviderWouldRefuseIsRefusedAndSaysForWhom) {
    auto some = apps();
    some[1] = app("dijon", {platform::apns}, "Crue");
    some[1].communes = {*parse_commune_id("21231")};
    preparer.set_apps(some);
    const auto event = accept("commune:21231");
    ASSERT_TRUE(event.has_error());
    EXPECT_EQ(event.error().code, "payload_too_large");
    EXPECT_EQ(event.error().message, "dijon/apns: it has 5000 bytes.");
    EXPECT_TRUE(accept("commune:21054").has_value()) << "it is not for that app";
}

TEST_F(EventPreparerTest, TheCommunesOfANationAreNotCounted) {
    std::string list = "insee,name,population,department,epci\n";
    for (int code = 21001; code <= 21999; ++code) {
        list += std::to_string(code) + ",Commune,100,21,\n";
    }
    for (const bool one_more : {false, true}) {
        const std::string more = one_more ? "71001,A,100,71,\n71002,B,100,71,\n" : "71001,A,100,71,\n";
        const territories many =
            territories::parse(list + more, "epci,name,type,communes,population\n").value();
        event_preparer of_many(many, known_platforms(), event_limits{}, time);
        of_many.set_apps(apps());
        const auto event = of_many.accept(document("everyone"), entry);
        ASSERT_TRUE(event.has_value());
        EXPECT_EQ((*event)->counts_communes, !one_more);
    }
}

TEST_F(EventPreparerTest, ItExpiresOnTheSteadyClockWhenItDoesOnTheWallClock) {
    const auto event = accept("commune:21231").value();
    EXPECT_EQ(event->content.expires_at, event->accepted_at + 1h);
    EXPECT_EQ(event->expires, time.now() + 1h);
    EXPECT_EQ(event->accepted_at, time.wall_now());
}

TEST_F(EventPreparerTest, WhatTheLedgerKeepsIsTheSameEventOnAnotherEngineAndLater) {
    const std::string text =
        document(R"(zone:21231:quai","device:fcm:abcdefghijklmnopqrst)", R"(,"receipts":true)");
    const auto event = preparer.accept(text, entry).value();
    ledger_fields fields = preparer.describe(*event, text);
    fields["entry"] = entry;
    fields[std::string(names::state)] = "running";
    fields[std::string(names::pages_planned)] = "3";
    time.advance(10min);
    const auto again = preparer.restore("crue", fields).value();
    EXPECT_EQ(again->id, "crue");
    EXPECT_EQ(again->entry, entry);
    EXPECT_EQ(again->seed, event->seed);
    EXPECT_EQ(again->accepted_at, event->accepted_at);
    EXPECT_EQ(again->content.expires_at, event->content.expires_at) << "an hour from its reading";
    EXPECT_EQ(again->expires, event->expires);
    EXPECT_EQ(again->targets, event->targets);
    EXPECT_EQ(again->audience, event->audience);
    EXPECT_EQ(again->named_devices, event->named_devices);
    EXPECT_TRUE(again->named_devices.contains(named_device(platform::fcm, "abcdefghijklmnopqrst")));
    EXPECT_EQ(again->counts_communes, event->counts_communes);
    EXPECT_EQ(again->pages_planned, 3U);
    EXPECT_TRUE(again->content.receipts);
    EXPECT_FALSE(again->cancelled);
    EXPECT_EQ(again->generation, preparer.generation());
    fields[std::string(names::state)] = "cancelling";
    EXPECT_TRUE(preparer.restore("crue", fields).value()->cancelled);
}

TEST_F(EventPreparerTest, AnAppThatIsConfiguredElsewhereIsNoHindranceToRestoring) {
    const std::string text = document("commune:21231");
    const auto event = preparer.accept(text, entry).value();
    const ledger_fields fields = preparer.describe(*event, text);
    auto fewer = apps();
    fewer.pop_back();
    fewer.front().platforms.erase(platform::fcm);
    const std::uint64_t before = preparer.generation();
    preparer.set_apps(fewer);
    EXPECT_GT(preparer.generation(), before);
    const auto again = preparer.restore("crue", fields).value();
    EXPECT_EQ(again->targets, event->targets) << "another engine sends to them";
    ASSERT_EQ(again->messages.size(), 1U);
    EXPECT_TRUE(again->messages.contains({"mairies", platform::apns}));
}

TEST_F(EventPreparerTest, WhatTheLedgerNoLongerMakesSenseOfIsDamagedAndNothingElse) {
    const std::string text = document(R"(commune:21231","device:fcm:abcdefghijklmnopqrst)");
    const auto event = preparer.accept(text, entry).value();
    const ledger_fields good = preparer.describe(*event, text);
    const auto code_with = [&](std::string_view field, const std::string& value) {
        ledger_fields fields = good;
        fields[std::string(field)] = value;
        const auto again = preparer.restore("crue", fields);
        return again.has_error() ? again.error().code : std::string();
    };
    EXPECT_EQ(code_with(names::document, "{"), damaged_ledger);
    EXPECT_EQ(code_with(names::document, ""), damaged_ledger);
    EXPECT_EQ(code_with(names::audience, "\xff\xff"), damaged_ledger);
    audience evil = event->audience;
    const std::string bytes = evil.encode();
    const std::size_t at = bytes.find("abc");
    ASSERT_NE(at, std::string::npos);
    std::string forged = bytes;
    forged.replace(at, 3, "a\"b");
    EXPECT_EQ(code_with(names::audience, forged), damaged_ledger) << "tokens go into bodies as they are";
    EXPECT_EQ(code_with(names::targets, "mairies/apns;nonsense;;x/y"), "")
        << "those that make sense are left";

    auto worse = apps();
    worse[0] = app("mairies", {platform::apns, platform::fcm}, "Crue");
    preparer.set_apps(worse);
    EXPECT_EQ(code_with(names::state, "running"), "payload_too_large") << "another configuration mends it";
}

TEST(ReadTargets, TakesWhatMakesSense) {
    struct row {
        std::string text;
        std::vector<target> wanted;
    };
    const target apns{"mairies", platform::apns};
    const target fcm{"mairies", platform::fcm};
    const std::vector<row> rows{
        {"", {}},
        {"mairies/apns", {apns}},
        {"mairies/apns;mairies/fcm", {apns, fcm}},
        {";mairies/apns;;mairies/fcm;", {apns, fcm}},
        {"mairies/pigeon;mairies/fcm", {fcm}},
    };
    for (const row& each : rows) {
        ledger_fields fields;
        fields[std::string(names::targets)] = each.text;
        EXPECT_EQ(read_targets(fields), each.wanted) << each.text;
    }
    EXPECT_TRUE(read_targets({}).empty());
}

}  // namespace
}  // namespace tocsin
