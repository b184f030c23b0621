#include "tests/mistakes/town.hpp"

#include "engine/plan/dead_device.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include <gtest/gtest.h>

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;

// As engine.pages_in_flight is by default.
constexpr std::size_t most_open = 16;
constexpr std::string_view token_prefix = "device-";

std::size_t number_of(std::string_view token) {
    std::size_t out = 0;
    std::from_chars(token.data() + token_prefix.size(), token.data() + token.size(), out);
    return out;
}

}  // namespace

town::town(std::size_t devices, bool overridden, std::size_t in_sandbox)
    : content_(overridden ? static_cast<const message*>(&overridden_) : &plain_),
      in_sandbox_(in_sandbox),
      known_(devices, true),
      accepted_(devices, 0) {
    lane_owner& owner = *this;
    line_ = std::make_unique<lane>(
        target{"mairies", platform::fcm}, lane_settings{}, time_, log_, numbers_.add_shard(), 1, owner);
}

void town::publish() {
    event_ = make_event(time_, priority::normal, 2h);
    of_event_ = {};
    outcomes_ = {};
    std::ranges::fill(accepted_, std::uint8_t{0});
    device usual;
    usual.registered_at = 1'000;
    device of_a_developer = usual;
    of_a_developer.sandbox = true;
    const std::array<std::string, 2> entries{encode_roster_entry(usual), encode_roster_entry(of_a_developer)};
    std::vector<listed_device> some;
    for (std::size_t i = 0; i < known_.size(); ++i) {
        if (known_[i]) {
            const bool sandbox = in_sandbox_ != 0 && i % in_sandbox_ == 0;
            some.push_back(
                {0, std::string(token_prefix) + std::to_string(i), entries[sandbox ? 1 : 0], 0, false,
                 false});
        }
        if (some.size() == devices_per_page || (i + 1 == known_.size() && !some.empty())) {
            unopened_.push_back(std::exchange(some, {}));
        }
    }
    open_some();
}

void town::open_some() {
    while (!unopened_.empty() && pages_.size() < most_open) {
        auto from = std::make_shared<active_shard>();
        from->event = event_;
        from->which = line_->which();
        from->entry = "1-0";
        from->pages = 1;
        from->work.devices = std::move(unopened_.front());
        unopened_.pop_front();
        pages_.push_back(std::make_unique<page>(std::move(from), 0, time_.now()));
        pages_.back()->fill_listed(content_);
        line_->add(*pages_.back(), priority::normal);
    }
}

void town::pass(duration most, const answering& ask) {
    const time_point end = time_.now() + most;
    while (!over() && time_.now() < end) {
        // A page that ends makes room for another.
        for (bool more = true; more;) {
            more = false;
            while (push* const item = line_->take(time_.now())) {
                const std::size_t which = number_of(item->token);
                const verdict& said = ask(which, *item);
                accepted_[which] =
                    static_cast<std::uint8_t>(accepted_[which] + (said.action == reaction::accept ? 1 : 0));
                line_->settle(*item, said, time_.now());
                more = true;
            }
            collect();
            open_some();
        }
        time_.advance(1s);
        bring_back();
        line_->tick(time_.now());
    }
}

void town::collect() {
    for (page* const each : std::exchange(done_, {})) {
        const answer_counts of_page{each->count(outcome::accepted), each->count(outcome::dead)};
        for (std::size_t i = 0; i < outcome_count; ++i) {
            outcomes_[i] += each->count(static_cast<outcome>(i));
        }
        page_settlement settled = each->settlement();
        parked_.insert(settled.parked.begin(), settled.parked.end());
        remove(std::move(settled.dead), of_page);
        std::erase_if(pages_, [each](const auto& one) { return one.get() == each; });
    }
    if (over() && !wait_for_the_end_.empty()) {
        decide(std::exchange(wait_for_the_end_, {}), removal_moment::end, std::nullopt);
    }
}

void town::remove(std::vector<std::pair<std::string, std::string>> dead, const answer_counts& of_page) {
    of_event_ += of_page;
    std::vector<std::size_t> devices;
    for (const auto& [member, reason] : dead) {
        const auto which = decode_dead(member);
        ASSERT_TRUE(which.has_value());
        devices.push_back(number_of(which->token));
    }
    if (!devices.empty()) {
        decide(std::move(devices), removal_moment::page, of_page);
    }
}

/// As pruner::prune_of_target() does, of an app about which nothing is known yet.
void town::decide(std::vector<std::size_t> devices, removal_moment when, std::optional<answer_counts> page) {
    removal_facts facts;
    facts.event = of_event_;
    facts.page = page;
    facts.waiting = wait_for_the_end_.size() + devices.size();
    facts.held = held_ != 0;
    facts.when = when;
    switch (judge_removals({}, facts).word) {
        case removal_word::hold: held_ += devices.size(); break;
        case removal_word::wait:
            wait_for_the_end_.insert(wait_for_the_end_.end(), devices.begin(), devices.end());
            break;
        case removal_word::remove:
            for (const std::size_t one : devices) {
                known_[one] = false;
            }
            break;
    }
}

void town::bring_back() {
    const auto due = parked_.upper_bound(time_.wall_now().time_since_epoch().count());
    std::vector<listed_device> back;
    for (auto one = parked_.begin(); one != due; ++one) {
        const auto listed = decode_listed(one->second);
        ASSERT_TRUE(listed.has_value());
        back.insert(back.end(), listed->begin(), listed->end());
        if (back.size() == devices_per_page) {
            unopened_.push_back(std::exchange(back, {}));
        }
    }
    parked_.erase(parked_.begin(), due);
    if (!back.empty()) {
        unopened_.push_back(std::move(back));
    }
    open_some();
}

std::size_t town::in_store() const noexcept {
    return static_cast<std::size_t>(std::ranges::count(known_, true));
}

}  // namespace tocsin::testing
