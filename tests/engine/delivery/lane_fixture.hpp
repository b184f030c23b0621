#pragma once

#include "engine/delivery/lane.hpp"
#include "tests/engine/delivery/page_fixture.hpp"

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::testing {

/// A lane whose provider is the test: it takes pushes and answers them.
class LaneTest : public ::testing::Test, public lane_owner {
    void page_done(page& which) override { done.push_back(&which); }
    void page_nearly_done() override {}
    void slice_wanted(const slice_question& what) override { asked.push_back(what); }
    void look_at(time_point) override {}
    void hungry() override { ++hungry_again; }
    void quota_used_up(std::chrono::milliseconds rest) override { used_up.push_back(rest); }

protected:
    std::unique_ptr<lane> make(lane_settings how = {}) {
        return std::make_unique<lane>(
            target{"mairies", platform::fcm}, how, time, log, numbers.add_shard(), 1, *this);
    }
    page& add(
        lane& to, std::size_t count, const std::shared_ptr<active_event>& event,
        std::uint32_t registered_at = 1'000) {
        pages.push_back(make_page(event, count, content, registered_at));
        to.add(*pages.back(), event->content.priority);
        return *pages.back();
    }
    page& add(lane& to, std::size_t count, priority urgency = priority::normal) {
        return add(to, count, make_event(time, urgency));
    }
    verdict answer(reaction action, std::string_view reason = "") {
        verdict out;
        out.action = action;
        out.status = 400;
        out.reason = reason;
        return out;
    }
    std::vector<push*> take_all(lane& from) {
        std::vector<push*> out;
        while (push* const item = from.take(time.now())) {
            out.push_back(item);
        }
        return out;
    }

    manual_time time;
    null_logger log;
    metrics numbers;
    plain_message content;
    std::vector<std::unique_ptr<page>> pages;
    std::vector<page*> done;
    std::vector<slice_question> asked;
    int hungry_again = 0;
    std::vector<std::chrono::milliseconds> used_up;
};

}  // namespace tocsin::testing
