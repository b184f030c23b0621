#pragma once

#include "engine/delivery/lane.hpp"
#include "engine/delivery/removal_brake.hpp"
#include "tests/engine/delivery/page_fixture.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::testing {

/// The devices of one app on one platform, the lane that sends to them and the brake on their removal, as
/// they are in an engine, on a clock that the test moves. In Redis' place stand a list of what is parked and
/// a flag for each device that is in the store.
class town final : private lane_owner {
public:
    /// `overridden`: the events name a topic of their own. `in_sandbox`: every so manieth device belongs to
    /// the development environment; 0: none.
    explicit town(std::size_t devices, bool overridden = false, std::size_t in_sandbox = 0);
    town(const town&) = delete;
    town& operator=(const town&) = delete;

    /// Whom a push is for, and what is answered. The verdict lives until the next call.
    using answering = std::function<const verdict&(std::size_t device, const push& item)>;

    /// An event to every device in the store. Only once the one before is over().
    void publish();
    /// Moves the clock, a second each time, until everybody has an outcome or `most` has passed.
    void pass(duration most, const answering& ask);
    [[nodiscard]] bool over() const noexcept {
        return unopened_.empty() && pages_.empty() && parked_.empty();
    }
    /// The mistake is corrected, and the configuration read again.
    void correct() noexcept { line_->resume(); }
    /// What removals are held is answered with --keep.
    void keep_held() noexcept { held_ = 0; }

    [[nodiscard]] std::size_t in_store() const noexcept;
    [[nodiscard]] bool knows(std::size_t device) const noexcept { return known_[device]; }
    /// How often a device's push of this event was accepted.
    [[nodiscard]] int accepted(std::size_t device) const noexcept { return accepted_[device]; }
    [[nodiscard]] std::size_t ended(outcome how) const noexcept {
        return outcomes_[static_cast<std::size_t>(how)];
    }
    [[nodiscard]] std::size_t held() const noexcept { return held_; }

private:
    void open_some();
    // lane_owner
    void page_done(page& which) override { done_.push_back(&which); }
    void page_nearly_done() override {}
    void slice_wanted(const slice_question&) override {}
    void look_at(time_point) override {}
    void hungry() override {}
    void quota_used_up(std::chrono::milliseconds) override {}

    void collect();
    void remove(std::vector<std::pair<std::string, std::string>> dead, const answer_counts& of_page);
    void decide(std::vector<std::size_t> devices, removal_moment when, std::optional<answer_counts> page);
    void bring_back();

    manual_time time_;
    null_logger log_;
    metrics numbers_;
    plain_message plain_;
    overridden_message overridden_;
    const message* content_;
    std::size_t in_sandbox_;
    std::vector<bool> known_;
    std::vector<std::uint8_t> accepted_;
    std::shared_ptr<active_event> event_;
    std::deque<std::vector<listed_device>> unopened_;
    std::list<std::unique_ptr<page>> pages_;
    std::vector<page*> done_;
    std::multimap<std::int64_t, std::string> parked_;  ///< By when they are due.
    std::array<std::size_t, outcome_count> outcomes_{};
    answer_counts of_event_;
    std::vector<std::size_t> wait_for_the_end_;
    std::size_t held_ = 0;
    std::unique_ptr<lane> line_;
};

}  // namespace tocsin::testing
