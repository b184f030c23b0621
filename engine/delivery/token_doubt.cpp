#include "engine/delivery/token_doubt.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace tocsin {
namespace {

// How many pushes try out a credential that was doubted.
constexpr std::size_t few_probes = 5;
// A minute, then twice as long each time, up to a quarter of an hour.
constexpr std::chrono::minutes first_wait{1};
constexpr std::uint32_t most_doublings = 4;

}  // namespace

void token_doubt::keep(push& item, std::string_view reason, time_point now) {
    breaker_.suspect(now);
    kept_.push_back({&item, std::string(reason)});
    item.owner->put_on_trial();
}

duration token_doubt::trip() noexcept {
    const duration wait = first_wait * (1U << std::min(trips_, most_doublings));
    ++trips_;
    breaker_.reset();
    probing_ = true;
    probes_left_ = few_probes;
    return wait;
}

void token_doubt::look(std::size_t in_flight) noexcept {
    if (probing_ && probes_left_ == 0 && in_flight == 0) {
        probes_left_ = few_probes;
    }
}

void token_doubt::forget() noexcept {
    breaker_.reset();
    probing_ = false;
    trips_ = 0;
}

std::vector<token_doubt::trial> token_doubt::release() {
    std::vector<trial> out = std::exchange(kept_, {});
    for (const trial& one : out) {
        one.item->owner->end_trial();
    }
    return out;
}

std::vector<token_doubt::trial> token_doubt::release(const page& of) {
    const auto its =
        std::ranges::partition(kept_, [&of](const trial& one) { return one.item->owner != &of; });
    std::vector<trial> out(std::make_move_iterator(its.begin()), std::make_move_iterator(its.end()));
    kept_.erase(its.begin(), its.end());
    for (const trial& one : out) {
        one.item->owner->end_trial();
    }
    return out;
}

}  // namespace tocsin
