#include "engine/delivery/page.hpp"

#include "engine/redis/reply_reader.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/delivery/page_fixture.hpp"

#include <map>
#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using testing::increment;

// One platform's, which fits the tokens of all.
const token_beginnings beginnings = known_platforms()[platform::webpush].beginnings();

territory place(std::string_view code, std::string zone = {}) {
    return {*parse_commune_id(code), std::move(zone)};
}

std::string bulk(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

/// What HVALS says of a bucket with these devices.
std::string bucket(const std::vector<device>& devices) {
    std::string out = "*" + std::to_string(devices.size()) + "\r\n";
    for (const device& one : devices) {
        out += bulk(encode_roster_record(one, beginnings));
    }
    return out;
}

redis::replies parse(const std::string& bytes, std::size_t count) {
    redis::reply_reader reader;
    redis::replies out;
    reader.feed(bytes);
    for (std::size_t i = 0; i < count; ++i) {
        EXPECT_TRUE(reader.next(out).has_value());
    }
    return out;
}

device one(std::string token, std::vector<territory> follow, std::vector<std::string> mute = {}) {
    device out;
    out.token = std::move(token);
    out.follow = std::move(follow);
    out.mute = std::move(mute);
    return out;
}

class PageTest : public ::testing::Test {
protected:
    std::shared_ptr<active_event> event_to(const std::vector<std::string>& communes) {
        auto event = testing::make_event(time);
        std::vector<selector> selectors;
        std::string csv = "insee,name,population,department,epci\n";
        for (const std::string& code : communes) {
            selectors.push_back({selector_kind::commune, code, platform::apns});
            csv += code + ",X,1000,21,242100410\n";
        }
        event->audience =
            audience::resolve(known_platforms(), selectors, territories::parse(csv, "").value()).value();
        event->counts_communes = true;
        return event;
    }
    std::unique_ptr<page> filled(
        const std::shared_ptr<active_event>& event, const territory& here,
        const std::vector<device>& devices) {
        auto shard = std::make_shared<active_shard>();
        shard->event = event;
        shard->which = {"mairies", platform::fcm};
        shard->pages = 1;
        auto out = std::make_unique<page>(shard, 0, time_point{});
        const std::vector<bucket_run> runs{{here, 1, 0, 1}};
        out->fill(parse(bucket(devices), 1), 0, runs, beginnings, &content);
        return out;
    }

    testing::manual_time time;
    testing::plain_message content;
};

TEST_F(PageTest, ADeviceIsSentToFromTheFirstOfItsTerritoriesInTheAudienceOnly) {
    const auto event = event_to({"21054", "21231"});
    const std::vector<device> devices{
        one("both-device-token", {place("21054"), place("21231")}),
        one("other-device-token", {place("21166"), place("21231")}),
        one("plain-device-token", {place("21231")})};
    EXPECT_EQ(filled(event, place("21054"), {devices[0]})->pushes().size(), 1U);
    const auto here = filled(event, place("21231"), devices);
    ASSERT_EQ(here->pushes().size(), 2U);
    EXPECT_EQ(here->pushes()[0].token, "other-device-token");
    EXPECT_EQ(here->pushes()[1].token, "plain-device-token");
}

TEST_F(PageTest, MutedDevicesAreTargetedCountedAndNotSentTo) {
    const auto event = event_to({"21231"});
    event->content.category = "agenda";
    const auto here = filled(
        event, place("21231"),
        {one("quiet-device-token", {place("21231")}, {"agenda"}),
         one("loud-device-token", {place("21231")})});
    ASSERT_EQ(here->pushes().size(), 1U);
    here->accept(here->pushes()[0], std::chrono::milliseconds(5));
    const auto sums = here->settlement();
    EXPECT_EQ(increment(sums, "targeted"), 2U);
    EXPECT_EQ(increment(sums, "o:mairies/fcm:muted"), 1U);
    EXPECT_EQ(increment(sums, "o:mairies/fcm:accepted"), 1U);
    EXPECT_EQ(increment(sums, "c:21231"), 1U);
}

TEST_F(PageTest, ADeviceThatTheEventNamesIsPassedOverInItsRoster) {
    const auto event = event_to({"21231"});
    event->named_devices.insert(named_device(platform::fcm, "named-device-token"));
    EXPECT_TRUE(
        filled(event, place("21231"), {one("named-device-token", {place("21231")})})->pushes().empty());
}

TEST_F(PageTest, TheEndpointOfABrowserIsWholeThoughItIsStoredShort) {
    const auto event = event_to({"21231"});
    std::vector<device> browsers;
    for (int i = 0; i < 300; ++i) {  // More than one block of the page's memory holds.
        browsers.push_back(
            one("https://fcm.googleapis.com/fcm/send/" + std::string(140, 'x') + std::to_string(i),
                {place("21231")}));
        browsers.back().keys = std::string(80, 'k');
    }
    event->named_devices.insert(named_device(platform::fcm, browsers[7].token));
    const auto here = filled(event, place("21231"), browsers);
    ASSERT_EQ(here->pushes().size(), 299U);
    EXPECT_EQ(here->passed_over(), 1U);
    EXPECT_EQ(here->pushes().front().token, browsers.front().token);
    EXPECT_EQ(here->pushes().front().keys, browsers.front().keys);
    EXPECT_EQ(here->pushes().back().token, browsers.back().token);
}

TEST_F(PageTest, MalformedEntriesAreCountedAndStopNobodyElse) {
    const auto event = event_to({"21231"});
    auto shard = std::make_shared<active_shard>();
    shard->event = event;
    shard->which = {"mairies", platform::fcm};
    page here(shard, 0, time_point{});
    const std::string whole = encode_roster_record(one("whole-device-token", {place("21231")}), beginnings);
    const std::string unknown_flags =
        encode_roster_record("broken-device-token", "\xFF\xFF\xFF\xFF\xFF", beginnings);
    const std::string no_token = encode_roster_record(one("", {place("21231")}), beginnings);
    const std::string cut_short = whole.substr(0, 10);
    const std::string bytes =
        "*5\r\n" + bulk(unknown_flags) + bulk(no_token) + bulk(whole) + bulk(cut_short) + bulk("");
    const std::vector<bucket_run> runs{{place("21231"), 1, 0, 1}};
    here.fill(parse(bytes, 1), 0, runs, beginnings, &content);
    ASSERT_EQ(here.pushes().size(), 1U);
    EXPECT_EQ(here.pushes().front().token, "whole-device-token");
    EXPECT_EQ(here.unread_entries(), 4U);
}

TEST_F(PageTest, ABucketThatIsSomethingElseIsCountedOnceAndStopsNobodyElse) {
    const auto event = event_to({"21231"});
    auto shard = std::make_shared<active_shard>();
    shard->event = event;
    shard->which = {"mairies", platform::fcm};
    page here(shard, 0, time_point{});
    const std::string bytes = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n" +
                              bucket({one("whole-device-token", {place("21231")})});
    const std::vector<bucket_run> runs{{place("21231"), 1, 0, 2}};
    here.fill(parse(bytes, 2), 0, runs, beginnings, &content);
    ASSERT_EQ(here.pushes().size(), 1U);
    EXPECT_EQ(here.damaged(), 1U);
    EXPECT_EQ(increment(here.settle_early(wall_time{}), "damaged_rosters"), 1);
    here.accept(here.pushes()[0], std::chrono::milliseconds(5));
    EXPECT_EQ(increment(here.amendment(), "damaged_rosters"), 0);
}

TEST_F(PageTest, SumsAlwaysAgree) {
    const auto event = testing::make_event(time);
    const auto here = testing::make_page(event, 7, content);
    auto pushes = here->pushes();
    for (push& item : pushes) {
        here->count_sent(item);
    }
    here->accept(pushes[0], std::chrono::milliseconds(1));
    here->die(pushes[1], "UNREGISTERED");
    here->finish(pushes[2], outcome::rejected);
    here->finish(pushes[3], outcome::expired);
    here->finish(pushes[4], outcome::cancelled);
    here->finish(pushes[5], outcome::failed);
    EXPECT_FALSE(here->done());
    here->park(pushes[6], time.wall_now());
    EXPECT_TRUE(here->done());
    const auto sums = here->settlement();
    std::uint64_t ended = 0;
    for (const std::string_view name : outcome_names) {
        ended += increment(sums, "o:mairies/fcm:" + std::string(name));
    }
    EXPECT_EQ(increment(sums, "targeted"), ended + sums.parked.size());
    EXPECT_EQ(sums.dead.size(), 1U);
    EXPECT_EQ(sums.devices, 7U);
}

TEST_F(PageTest, WhatOfACommuneIsTargetedAndNotAcceptedIsCountedUntilItIs) {
    const auto event = event_to({"21231"});
    event->content.category = "agenda";
    const auto here = filled(
        event, place("21231"),
        {one("quiet-device-token", {place("21231")}, {"agenda"}), one("a-device-token", {place("21231")}),
         one("later-device-token", {place("21231")}), one("refused-device-token", {place("21231")})});
    auto pushes = here->pushes();
    ASSERT_EQ(pushes.size(), 3U);
    here->accept(pushes[0], std::chrono::milliseconds(5));
    here->park(pushes[1], time.wall_now());
    here->finish(pushes[2], outcome::rejected);
    const auto sums = here->settlement();
    EXPECT_EQ(increment(sums, "c:21231"), 1);
    EXPECT_EQ(increment(sums, "l:21231"), 3);

    auto shard = std::make_shared<active_shard>();
    shard->event = event;
    shard->which = {"mairies", platform::fcm};
    shard->work.devices = decode_listed(sums.parked[0].second).value();
    page again(shard, 0, time_point{});
    again.fill_listed(&content);
    again.accept(again.pushes()[0], std::chrono::milliseconds(1));
    EXPECT_EQ(increment(again.settlement(), "l:21231"), -1);
}

TEST_F(PageTest, AParkedDeviceIsNotTargetedAgain) {
    const auto event = testing::make_event(time);
    const auto first = testing::make_page(event, 1, content);
    first->park(first->pushes()[0], time.wall_now());
    const auto parked = decode_listed(first->settlement().parked[0].second);
    ASSERT_TRUE(parked.has_value());
    auto shard = std::make_shared<active_shard>();
    shard->event = event;
    shard->which = {"mairies", platform::fcm};
    shard->work.devices = *parked;
    page again(shard, 0, time_point{});
    again.fill_listed(&content);
    ASSERT_EQ(again.pushes().size(), 1U);
    again.accept(again.pushes()[0], std::chrono::milliseconds(1));
    const auto sums = again.settlement();
    EXPECT_EQ(increment(sums, "targeted"), 0U);
    EXPECT_EQ(increment(sums, "o:mairies/fcm:accepted"), 1U);
}

TEST_F(PageTest, OfAnEventThatRemembersItTellsWhomItMayHaveReached) {
    const auto event = testing::make_event(time);
    event->content.remembers_reached = true;
    const auto what = testing::make_page(event, 4, content);
    what->accept(what->pushes()[0], std::chrono::milliseconds(1));
    what->pushes()[1].maybe_sent = true;
    what->finish(what->pushes()[1], outcome::failed);
    what->finish(what->pushes()[2], outcome::cancelled);
    what->park(what->pushes()[3], wall_time{});
    const page_settlement told = what->settlement();
    const auto hashed = [](const char* token) { return hashed_device{0, hash_token(token)}; };
    EXPECT_EQ(decode_hashed(told.reached), (std::vector{hashed("device-0"), hashed("device-1")}));
    EXPECT_EQ(decode_hashed(told.others), (std::vector{hashed("device-2"), hashed("device-3")}));
}

TEST_F(PageTest, HoweverManyWordsAProviderInventsAnEventNamesAHundredAndCountsTheRest) {
    constexpr std::size_t pages = 20;
    constexpr std::size_t devices = 40;
    const auto event = testing::make_event(time);
    std::map<std::string, std::int64_t> named;
    for (std::size_t i = 0; i < pages; ++i) {
        const auto here = testing::make_page(event, devices, content);
        for (push& item : here->pushes()) {
            here->count_reason("Invented" + std::to_string(i) + std::string(item.token));
            here->finish(item, outcome::rejected);
        }
        for (const auto& [field, amount] : here->settlement().increments) {
            if (field.starts_with("r:")) {
                named[field] += amount;
            }
        }
    }
    EXPECT_EQ(named.size(), 101U);
    EXPECT_EQ(named["r:fcm:Other"], static_cast<std::int64_t>(pages * devices - 100));
}

TEST_F(PageTest, OfAnyOtherEventAndOfATrialItRemembersNobody) {
    const auto trial = testing::make_event(time);
    trial->content.remembers_reached = true;
    trial->content.mode = delivery_mode::dry_run;
    for (const auto& event : {testing::make_event(time), trial}) {
        const auto what = testing::make_page(event, 1, content);
        what->accept(what->pushes()[0], std::chrono::milliseconds(1));
        const page_settlement told = what->settlement();
        EXPECT_TRUE(told.reached.empty());
        EXPECT_TRUE(told.others.empty());
    }
}

TEST_F(PageTest, AlsoAPageOfAnAllClearAndOneOfRetriesSayHowManyOfTheirDevicesWereAccepted) {
    const auto event = testing::make_event(time);
    device known;
    for (const bool again : {false, true}) {
        auto shard = std::make_shared<active_shard>();
        shard->event = event;
        shard->which = {"mairies", platform::fcm};
        shard->pages = 1;
        for (int i = 0; i < 60; ++i) {
            const std::string token = "device-" + std::to_string(i);
            if (!again) {
                shard->work.hashed.push_back({0, hash_token(token)});
            }
            shard->work.devices.push_back({0, token, encode_roster_entry(known), 0, again, again});
        }
        page here(shard, 0, time_point{});
        here.fill_listed(&content);
        for (std::size_t i = 0; i < 57; ++i) {
            here.die(here.pushes()[i], "UNREGISTERED");
        }
        here.accept(here.pushes()[57], std::chrono::milliseconds(1));
        const page_settlement early = here.settle_early(time.wall_now());
        EXPECT_EQ(early.accepted, 1U);
        EXPECT_EQ(early.dead.size(), 57U);
        here.accept(here.pushes()[58], std::chrono::milliseconds(1));
        here.accept(here.pushes()[59], std::chrono::milliseconds(1));
        EXPECT_EQ(here.amendment().accepted, 2U);
    }
}

TEST_F(PageTest, APageIsNearlyDoneOnceWhenFewOfManyAreLeft) {
    const auto event = testing::make_event(time);
    const auto here = testing::make_page(event, 800, content);
    EXPECT_FALSE(here->nearly_done());
    std::size_t times = 0;
    for (std::size_t i = 0; i < 799; ++i) {
        here->accept(here->pushes()[i], std::chrono::milliseconds(1));
        times += here->became_nearly_done() ? 1 : 0;
        EXPECT_EQ(here->nearly_done(), i >= 735);
    }
    EXPECT_EQ(times, 1U);
    const auto small = testing::make_page(event, 40, content);
    EXPECT_FALSE(small->nearly_done()) << "few devices alone are no reason: most must have their outcome";
    for (std::size_t i = 0; i < 30; ++i) {
        EXPECT_FALSE(small->nearly_done());
        small->accept(small->pushes()[i], std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(small->nearly_done()) << "a quarter is left";
}

TEST_F(PageTest, APageWhoseAnswersAreLateWaitsForThoseThatAreOnTrial) {
    const auto event = testing::make_event(time);
    const auto here = testing::make_page(event, 16, content);
    for (std::size_t i = 0; i < 14; ++i) {
        here->accept(here->pushes()[i], std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(here->nearly_done());
    here->put_on_trial();
    EXPECT_FALSE(here->nearly_done());
    here->end_trial();
    EXPECT_TRUE(here->nearly_done());
}

TEST_F(PageTest, SettledEarlyAndAmendedAPageAddsUpToTheSameSums) {
    const auto event = testing::make_event(time);
    const auto here = testing::make_page(event, 24, content);
    auto pushes = here->pushes();
    for (std::size_t i = 0; i < 20; ++i) {
        here->accept(pushes[i], std::chrono::milliseconds(1));
    }
    here->die(pushes[20], "UNREGISTERED");
    here->count_retry();
    ASSERT_TRUE(here->nearly_done());
    const wall_time due = time.wall_now() + std::chrono::seconds(15);
    const auto early = here->settle_early(due);
    EXPECT_TRUE(here->late());
    EXPECT_FALSE(here->done());
    EXPECT_EQ(here->named(), 3U);
    EXPECT_EQ(increment(early, "targeted"), 24U);
    EXPECT_EQ(increment(early, "o:mairies/fcm:accepted"), 20U);
    EXPECT_EQ(early.dead.size(), 1U);
    ASSERT_EQ(early.parked.size(), 1U);
    EXPECT_EQ(early.parked[0].first, late_score(due));
    const auto named = decode_listed(early.parked[0].second);
    ASSERT_TRUE(named.has_value());
    ASSERT_EQ(named->size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ((*named)[i].token, pushes[21 + i].token);
        EXPECT_TRUE((*named)[i].maybe_sent) << "whoever sends to it again counts a possible duplicate";
        EXPECT_TRUE((*named)[i].counted);
    }
    here->accept(pushes[21], std::chrono::milliseconds(300));
    here->die(pushes[22], "UNREGISTERED");
    here->park(pushes[23], time.wall_now());
    ASSERT_TRUE(here->done());
    const auto rest = here->amendment();
    EXPECT_EQ(rest.late, early.parked[0].second);
    EXPECT_EQ(increment(rest, "targeted"), 0U);
    EXPECT_EQ(increment(rest, "retries"), 0U);
    EXPECT_EQ(increment(rest, "o:mairies/fcm:accepted"), 1U);
    EXPECT_EQ(increment(rest, "o:mairies/fcm:dead"), 1U);
    EXPECT_EQ(rest.dead.size(), 1U);
    EXPECT_EQ(rest.parked.size(), 1U);
}

TEST_F(PageTest, APushThatIsSentAgainWithoutKnowingWhetherItArrivedIsAPossibleDuplicate) {
    const auto event = testing::make_event(time);
    const auto here = testing::make_page(event, 3, content);
    here->count_sent(here->pushes()[0]);
    here->count_sent(here->pushes()[1]);
    for (push& item : here->pushes()) {
        item.maybe_sent = true;
    }
    here->count_sent(here->pushes()[0]);
    here->count_sent(here->pushes()[1]);
    here->finish_all(outcome::accepted);
    EXPECT_EQ(increment(here->settlement(), "possible_duplicates"), 2U);
}

}  // namespace
}  // namespace tocsin
