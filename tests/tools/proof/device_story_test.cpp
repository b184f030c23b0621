#include "tools/proof/device_story.hpp"

#include "engine/core/digest.hpp"
#include "engine/core/rfc3339.hpp"
#include "engine/event/selector.hpp"
#include "providers/known_platforms.hpp"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::proof {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const wall_time began = parse_rfc3339("2026-11-23T06:00:00Z").value();
const target dijon_apns{"mairies", platform::apns};
const territory dijon{*parse_commune_id("21231"), {}};
const territory centre{*parse_commune_id("21231"), "centre"};
const territory beaune{*parse_commune_id("21054"), {}};
const territory merged{*parse_commune_id("21999"), {}};

const territories& places() {
    static const territories known = territories::parse(
                                         "insee,name,population,department,epci\n21054,Beaune,20000,21,\n"
                                         "21231,Dijon,160000,21,\n",
                                         "")
                                         .value();
    return known;
}

audience whom(const std::vector<selector>& selectors) {
    return audience::resolve(known_platforms(), selectors, places()).value();
}

/// An event to Dijon and its centre that has ended, and of which every device was accepted.
event_facts some_event() {
    event_facts out;
    out.report.event = "crue-1";
    out.report.state = event_state::finished;
    out.report.started_at = began.time_since_epoch().count();
    out.report.finished_at = out.report.started_at + 5'000;
    out.report.apps["mairies"]["apns"] = {90, 0, 0, 0, 0, 10, 0};
    out.content.category = "alerte";
    out.content.expires_at = began + 1h;
    out.audience = whom({{selector_kind::commune, "21231"}, {selector_kind::zone, "21231:centre"}});
    out.targets = {dijon_apns};
    out.now = began + 1min;
    return out;
}

device_facts some_device() {
    device known;
    known.token = "0123456789abcdef";
    known.registered_at = static_cast<std::uint32_t>((began - 24h).time_since_epoch() / 1s);
    known.follow = {beaune, dijon, centre};
    device_facts out;
    out.which = dijon_apns;
    out.token = known.token;
    out.known = known;
    return out;
}

void run_again(event_facts& event, event_state state = event_state::running) {
    event.report.state = state;
    event.report.finished_at = 0;
}

TEST(DeviceStoryTest, ADeviceIsSentToFromTheFirstOfItsTerritoriesThatTheAudienceHas) {
    const device_story story = tell_story(some_event(), some_device(), places());
    EXPECT_TRUE(story.known);
    EXPECT_TRUE(story.targeted);
    EXPECT_EQ(story.matched_through, dijon);
    EXPECT_EQ(story.sent, sent_state::yes);
    EXPECT_THAT(story.outcomes, ElementsAre(outcome::accepted));
    EXPECT_THAT(story.because, HasSubstr("It was sent to"));
    std::string id(36, '\0');
    push_uuid(event_seed("crue-1"), some_device().token, id.data());
    EXPECT_EQ(story.apns_id, id);
}

/// One question, and what must be said.
struct story_case {
    std::string name;
    std::function<void(event_facts&, device_facts&)> change;
    bool targeted;
    sent_state sent;
    std::string because;
};

std::vector<story_case> ended_cases() {
    return {
        {"muted",
         [](event_facts&, device_facts& d) {
             d.known->mute = {"agenda", "alerte"};
         },
         true, sent_state::no, "mutes the category \"alerte\""},
        {"mutes something else", [](event_facts&, device_facts& d) { d.known->mute = {"agenda"}; }, true,
         sent_state::yes, "was sent to"},
        {"somebody was rejected",
         [](event_facts& e, device_facts&) { e.report.apps["mairies"]["apns"] = {90, 3, 2, 0, 0, 10, 0}; },
         true, sent_state::unknown, "accepted or rejected"},
        {"the removals of all were held",
         [](event_facts& e, device_facts&) {
             e.report.apps["mairies"]["apns"] = {0, 90, 0, 0, 0, 10, 0};
             e.report.removals_held = 90;
         },
         true, sent_state::yes, "Its removal was left to an operator"},
        {"the removals of some were held",
         [](event_facts& e, device_facts&) {
             e.report.apps["mairies"]["apns"] = {30, 60, 0, 0, 0, 10, 0};
             e.report.removals_held = 60;
         },
         true, sent_state::unknown, "accepted or dead"},
        {"all expired",
         [](event_facts& e, device_facts&) {
             e.report.state = event_state::expired;
             e.report.apps["mairies"]["apns"] = {0, 0, 0, 100, 0, 0, 0};
         },
         true, sent_state::unknown, "ended as expired"},
        {"some cancelled",
         [](event_facts& e, device_facts&) {
             e.report.state = event_state::cancelled;
             e.report.apps["mairies"]["apns"] = {50, 0, 0, 0, 50, 0, 0};
         },
         true, sent_state::unknown, "accepted or cancelled"},
        {"a dry run", [](event_facts& e, device_facts&) { e.content.mode = delivery_mode::dry_run; }, true,
         sent_state::no, "dry run"},
        {"follows other communes", [](event_facts&, device_facts& d) { d.known->follow = {beaune}; }, false,
         sent_state::no, "follows commune:21054, none of which"},
        {"follows a commune that is gone", [](event_facts&, device_facts& d) { d.known->follow = {merged}; },
         false, sent_state::no, "no commune 21999"},
        {"follows another zone only",
         [](event_facts&, device_facts& d) {
             d.known->follow = {territory{dijon.commune, "nord"}};
         },
         false, sent_state::no, "zone:21231:nord"},
        {"forgotten", [](event_facts&, device_facts& d) { d.known.reset(); }, false, sent_state::no,
         "not registered with mairies/apns"},
        {"removed by another event",
         [](event_facts&, device_facts& d) {
             d.known.reset();
             d.removed = device_facts::removal{"older", "Unregistered", began - 1h};
         },
         false, sent_state::no, "\"older\" found at 2026-11-23T05:00:00.000Z that its token is gone"},
        {"removed by this event",
         [](event_facts&, device_facts& d) {
             d.known.reset();
             d.removed = device_facts::removal{"crue-1", "Unregistered", began + 2s};
         },
         true, sent_state::yes, "its token is gone (Unregistered)"},
        {"removed by this event, and back",
         [](event_facts&, device_facts& d) {
             d.removed = device_facts::removal{"crue-1", "Unregistered", began + 2s};
         },
         true, sent_state::yes, "has registered again since"},
        {"registered later",
         [](event_facts&, device_facts& d) {
             d.known->registered_at = static_cast<std::uint32_t>((began + 10s).time_since_epoch() / 1s);
         },
         false, sent_state::unknown, "after the event had begun"},
        {"named, and known elsewhere",
         [](event_facts& e, device_facts& d) {
             e.audience = whom({{selector_kind::device, "30313233343536373839616263646566", platform::apns}});
             d.known->follow = {beaune};
         },
         true, sent_state::yes, "was sent to"},
        {"named, and never registered",
         [](event_facts& e, device_facts& d) {
             e.audience = whom({{selector_kind::device, "30313233343536373839616263646566", platform::apns}});
             d.known.reset();
             d.sent_if_unknown = true;
         },
         true, sent_state::yes, "was sent to"},
        {"named, never registered, and of several apps",
         [](event_facts& e, device_facts& d) {
             e.audience = whom({{selector_kind::device, "30313233343536373839616263646566", platform::apns}});
             d.known.reset();
         },
         false, sent_state::no, "the event names it, but not the app"},
        {"of another app",
         [](event_facts& e, device_facts&) {
             e.content.apps = {"dijon"};
             e.targets = {{"dijon", platform::apns}};
         },
         false, sent_state::no, "names other apps"},
        {"of a platform without devices", [](event_facts& e, device_facts&) { e.targets.clear(); }, false,
         sent_state::no, "not sent through mairies/apns"},
        {"a damaged event", [](event_facts& e, device_facts&) { e.damage = "engine:PoisonShard"; }, true,
         sent_state::unknown, "engine:PoisonShard"},
        {"an all-clear to one of those who got the alert",
         [](event_facts& e, device_facts& d) {
             e.content.reached_by = {"alert-1", "alert-2"};
             d.reached_by = "alert-2";
             d.known->follow = {beaune};
         },
         true, sent_state::yes, "was sent to"},
        {"an all-clear to the others",
         [](event_facts& e, device_facts&) {
             e.content.reached_by = {"alert-1", "alert-2"};
         },
         false, sent_state::no, "those whom \"alert-1\" or \"alert-2\" was sent to"},
        {"an all-clear to nobody of its platform",
         [](event_facts& e, device_facts& d) {
             e.content.reached_by = {"alert-1", "alert-2"};
             d.reached_by = "alert-2";
             e.targets.clear();
         },
         false, sent_state::no, "sent to by \"alert-1\" or \"alert-2\""},
        {"an alert that remembers it",
         [](event_facts& e, device_facts& d) {
             e.report.apps["mairies"]["apns"] = {50, 0, 0, 50, 0, 0, 0};
             d.reached = true;
         },
         true, sent_state::unknown, "accepted or expired"},
        {"an alert that does not",
         [](event_facts& e, device_facts& d) {
             e.report.apps["mairies"]["apns"] = {50, 0, 0, 50, 0, 0, 0};
             d.reached = false;
         },
         true, sent_state::no, "is not among them"},
        {"stopped before it began", [](event_facts& e, device_facts&) { e.report.started_at = 0; }, false,
         sent_state::no, "before anybody was targeted"}};
}

TEST(DeviceStoryTest, AnEventThatHasEndedIsExplainedByWhatIsStored) {
    for (const story_case& one : ended_cases()) {
        event_facts event = some_event();
        device_facts about = some_device();
        one.change(event, about);
        const device_story story = tell_story(event, about, places());
        EXPECT_EQ(story.targeted, one.targeted) << one.name;
        EXPECT_EQ(story.sent, one.sent) << one.name << ": " << story.because;
        EXPECT_THAT(story.because, HasSubstr(one.because)) << one.name;
        EXPECT_EQ(story.place.has_value(), story.targeted) << one.name;
    }
}

std::vector<story_case> running_cases() {
    const auto stands = [](page_stage stage, bool maybe_sent = false) {
        return [=](event_facts& e, device_facts& d) {
            run_again(e);
            d.place = whereabouts{
                .stage = stage,
                .page = 7,
                .due = stage == page_stage::parked ? began + 2min : wall_time{},
                .attempts = 2,
                .maybe_sent = maybe_sent};
        };
    };
    return {
        {"not begun", stands(page_stage::not_begun), true, sent_state::no,
         "still to be read: it will be sent to"},
        {"held until the morning",
         [=](event_facts& e, device_facts& d) {
             stands(page_stage::not_begun)(e, d);
             d.place->due = began + 30min;
         },
         true, sent_state::no, "waits for 2026-11-23T06:30:00.000Z"},
        {"open", stands(page_stage::open), true, sent_state::unknown, "has no outcome yet"},
        {"settled", stands(page_stage::settled), true, sent_state::yes, "was sent to"},
        {"parked", stands(page_stage::parked), true, sent_state::no,
         "another try at 2026-11-23T06:02:00.000Z, after 2"},
        {"parked, perhaps sent", stands(page_stage::parked, true), true, sent_state::unknown,
         "may have reached it"},
        {"parked, and expired",
         [=](event_facts& e, device_facts& d) {
             stands(page_stage::parked)(e, d);
             e.now = began + 2h;
         },
         true, sent_state::no, "has expired: it will not be tried"},
        {"not begun, and cancelled",
         [=](event_facts& e, device_facts& d) {
             stands(page_stage::not_begun)(e, d);
             e.report.state = event_state::cancelling;
         },
         true, sent_state::no, "being cancelled: it will not be sent to"},
        {"registered meanwhile, before its page is read",
         [=](event_facts& e, device_facts& d) {
             stands(page_stage::not_begun)(e, d);
             d.known->registered_at += 24U * 3'600 + 10;
         },
         true, sent_state::no, "still to be read"},
        {"registered meanwhile, and its page was read",
         [=](event_facts& e, device_facts& d) {
             stands(page_stage::open)(e, d);
             d.known->registered_at += 24U * 3'600 + 10;
         },
         false, sent_state::unknown, "is not kept"},
        {"scheduled",
         [](event_facts& e, device_facts&) {
             run_again(e, event_state::scheduled);
             e.report.started_at = 0;
             e.content.send_at = began + 3h;
         },
         false, sent_state::no, "waits until 2026-11-23T09:00:00.000Z"}};
}

TEST(DeviceStoryTest, ARunningEventIsExplainedByWhereItsPageStands) {
    for (const story_case& one : running_cases()) {
        event_facts event = some_event();
        device_facts about = some_device();
        one.change(event, about);
        const device_story story = tell_story(event, about, places());
        EXPECT_EQ(story.targeted, one.targeted) << one.name;
        EXPECT_EQ(story.sent, one.sent) << one.name << ": " << story.because;
        EXPECT_THAT(story.because, HasSubstr(one.because)) << one.name;
        EXPECT_EQ(story.would_be_targeted, one.name == "scheduled");
    }
}

TEST(DeviceStoryTest, NothingOfItHoldsTheToken) {
    device_facts about = some_device();
    about.which.on = platform::fcm;
    const auto object = story_object(tell_story(some_event(), about, places()), about, places());
    EXPECT_EQ(boost::json::serialize(object).find(about.token), std::string::npos);
    EXPECT_TRUE(object.at("apns_id").is_null());
    EXPECT_EQ(object.at("territory").as_string(), "commune:21231");
    EXPECT_EQ(object.at("commune").as_string(), "Dijon");
}

}  // namespace
}  // namespace tocsin::proof
