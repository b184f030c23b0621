#include "tests/engine/delivery/lane_fixture.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// What a lane does while nobody is accepted: how long that lasts is for nobody to know, and neither is
// whether it is the provider's trouble or that of the few devices that are asked about.

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;

/// A lane and a Redis that gives back what was parked when it is due.
class LaneOutageTest : public LaneTest {
protected:
    using answering = std::function<verdict(const push&)>;

    void begin(std::size_t devices, std::chrono::milliseconds floor = 1s, duration ttl = 1h) {
        lane_settings how;
        how.retries.floor = floor;
        line = make(how);
        event = make_event(time, priority::normal, ttl);
        add(*line, devices, event);
    }

    /// Moves the clock, a second each time, until everybody has an outcome or `most` have passed.
    void pass(duration most, const answering& ask) {
        const time_point end = time.now() + most;
        while (!over() && time.now() < end) {
            for (push* const item : take_all(*line)) {
                ++sends[std::string(item->token)];
                line->settle(*item, ask(*item), time.now());
            }
            collect();
            time.advance(1s);
            bring_back();
            line->tick(time.now());
        }
        collect();
    }

    [[nodiscard]] bool over() const { return parked.empty() && open() == 0; }
    [[nodiscard]] std::size_t open() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(pages, [](const auto& each) { return each != nullptr; }));
    }
    std::int64_t ended(std::string_view how) { return sums["o:mairies/fcm:" + std::string(how)]; }
    verdict error(std::string_view reason, std::optional<std::chrono::milliseconds> wait) {
        verdict out = answer(reaction::retry_elsewhere, reason);
        out.status = 500;
        out.retry_after = wait;
        return out;
    }
    verdict lost() {
        verdict out = answer(reaction::unknown, "Timeout");
        out.status = 0;
        return out;
    }
    /// As the judgement of APNs and of FCM has it.
    verdict of_apns(const push& item) {
        const auto wait = item.attempts == 0
                              ? std::nullopt
                              : std::optional<std::chrono::milliseconds>(1min * (1 << (item.attempts - 1)));
        return error("InternalServerError", wait);
    }
    verdict of_fcm(const push& item) { return error("INTERNAL", 10s * (1 << item.attempts)); }

    std::unique_ptr<lane> line;
    std::shared_ptr<active_event> event;
    std::vector<std::pair<std::int64_t, std::string>> parked;
    std::map<std::string, std::int64_t> sums;
    std::map<std::string, int> sends;

private:
    void collect() {
        for (page* const each : done) {
            page_settlement settled = each->settlement();
            for (const auto& [field, amount] : settled.increments) {
                sums[field] += amount;
            }
            parked.insert(parked.end(), settled.parked.begin(), settled.parked.end());
            std::ranges::find_if(pages, [each](const auto& one) { return one.get() == each; })->reset();
        }
        done.clear();
    }
    void bring_back() {
        const auto now = time.wall_now().time_since_epoch().count();
        auto back = std::make_shared<active_shard>();
        std::erase_if(parked, [&](const auto& each) {
            if (each.first > now) {
                return false;
            }
            const auto devices = decode_listed(each.second);
            back->work.devices.insert(back->work.devices.end(), devices->begin(), devices->end());
            return true;
        });
        if (back->work.devices.empty()) {
            return;
        }
        back->event = event;
        back->which = {"mairies", platform::fcm};
        back->entry = "2-0";
        back->pages = 1;
        pages.push_back(std::make_unique<page>(back, 0, time.now()));
        pages.back()->fill_listed(&content);
        line->add(*pages.back(), priority::normal);
    }
};

TEST_F(LaneOutageTest, AnOutageFailsNobodyHoweverFewItMeetsAndEndsWithinSecondsOfItsEnd) {
    for (const std::size_t devices : {1U, 2U, 5U, 19U, 20U}) {
        for (const bool of_apple : {true, false}) {
            SCOPED_TRACE(std::to_string(devices) + (of_apple ? " of APNs" : " of FCM"));
            pages.clear();
            sums.clear();
            begin(devices, of_apple ? 1s : 10s, 4h);
            pass(3h, [&](const push& item) { return of_apple ? of_apns(item) : of_fcm(item); });
            EXPECT_EQ(ended("failed"), 0);
            pass(30s, [this](const push&) { return answer(reaction::accept); });
            EXPECT_EQ(ended("accepted"), static_cast<std::int64_t>(devices));
            EXPECT_TRUE(over());
        }
    }
}

TEST_F(LaneOutageTest, WhoMeetsNothingButErrorsToTheEndIsExpired) {
    begin(2, 1s, 1h);
    pass(2h, [this](const push& item) { return of_apns(item); });
    EXPECT_EQ(ended("expired"), 2);
    EXPECT_EQ(sums["r:fcm:InternalServerError"], 2);
}

TEST_F(LaneOutageTest, AFewThatAloneMeetErrorsFailWithinMinutesWhileOthersAreServed) {
    begin(3);
    const auto of_others = make_event(time, priority::high);
    for (int second = 0; second < 15 * 60; ++second) {
        LaneTest::add(*line, 1, of_others);
        pass(1s, [&](const push& item) {
            return &item.owner->event() == of_others.get() ? answer(reaction::accept) : of_apns(item);
        });
    }
    EXPECT_EQ(ended("failed"), 3);
    EXPECT_EQ(ended("accepted"), 15 * 60);
}

TEST_F(LaneOutageTest, ADeviceThatIsNeverAnsweredIsSentToNoOftenerThanItMayBeTried) {
    begin(1);
    pass(15min, [this](const push&) { return lost(); });
    EXPECT_EQ(ended("failed"), 1);
    EXPECT_EQ(sends["device-0"], 5);
}

TEST_F(LaneOutageTest, DevicesThatAreNeverAnsweredAreSentToNoOftenerEachThanTheyMayBeTried) {
    begin(40);
    pass(55min, [this](const push&) { return lost(); });
    EXPECT_EQ(ended("failed"), 40);
    for (const auto& [token, times] : sends) {
        EXPECT_LE(times, 5) << token;
    }
}

TEST_F(LaneOutageTest, AVillageOutlivesAnOutageOfFiveMinutes) {
    begin(161);
    pass(5min, [this](const push& item) { return of_apns(item); });
    EXPECT_EQ(ended("failed"), 0);
    pass(1min, [this](const push&) { return answer(reaction::accept); });
    pass(2min, [this](const push&) { return answer(reaction::accept); });
    EXPECT_EQ(ended("accepted"), 161);
}

TEST_F(LaneOutageTest, AnHourWithoutServiceFailsNobodyOfMany) {
    begin(161, 10s, 4h);
    pass(1h, [this](const push& item) { return of_fcm(item); });
    EXPECT_EQ(ended("failed"), 0);
    pass(5min, [this](const push&) { return answer(reaction::accept); });
    EXPECT_EQ(ended("accepted"), 161);
}

TEST_F(LaneOutageTest, WhatExpiresInAPauseForTheProviderIsExpired) {
    begin(161, 1s, 2min);
    pass(5min, [this](const push& item) { return of_apns(item); });
    EXPECT_EQ(ended("expired"), 161);
}

TEST_F(LaneOutageTest, WhatOneDeviceIsToldHoldsNobodyElseUp) {
    begin(5);
    pass(10s, [this](const push& item) {
        verdict out = of_apns(item);
        out.told = item.token == "device-0";
        out.retry_after = out.told ? 15min : out.retry_after;
        return out;
    });
    pass(1min, [this](const push&) { return answer(reaction::accept); });
    EXPECT_EQ(ended("accepted"), 4);
    EXPECT_EQ(sends["device-0"], 1);
}

TEST_F(LaneOutageTest, AnAlertDoesNotWaitForWhatAProviderInTroubleAsksFor) {
    begin(161);
    pass(10s, [this](const push& item) {
        verdict out = of_apns(item);
        out.told = true;
        out.retry_after = 15min;
        return out;
    });
    EXPECT_TRUE(take_all(*line).empty());
    LaneTest::add(*line, 3, priority::critical);
    ASSERT_LE(line->next_look(), time.now() + 1s);
    for (int probe = 0; probe < 3; ++probe) {
        const auto taken = take_all(*line);
        ASSERT_EQ(taken.size(), 1U);
        EXPECT_EQ(taken.front()->owner->event().content.priority, priority::critical);
        verdict out = of_apns(*taken.front());
        out.told = true;
        out.retry_after = 15min;
        line->settle(*taken.front(), out, time.now());
        EXPECT_TRUE(take_all(*line).empty());
        time.advance(3s);
        line->tick(time.now());
    }
}

TEST_F(LaneOutageTest, AnAnswerAboutADeviceEndsAPauseForTheProvider) {
    for (const reaction about_the_device :
         {reaction::drop_token, reaction::reject_push, reaction::retry_here}) {
        pages.clear();
        begin(161);
        for (push* const item : take_all(*line)) {
            line->settle(*item, of_apns(*item), time.now());
        }
        ASSERT_EQ(line->bound(time.now()), lane_bound::provider);
        time.advance(3s);
        line->tick(time.now());
        push* const probe = line->take(time.now());
        ASSERT_NE(probe, nullptr);
        line->settle(*probe, answer(about_the_device, "AboutTheDevice"), time.now());
        EXPECT_TRUE(line->paused_because().empty());
        EXPECT_GT(take_all(*line).size(), 100U);
    }
}

}  // namespace
}  // namespace tocsin::testing
