#include "engine/removals_watch.hpp"

#include "engine/redis/error.hpp"

#include <utility>

namespace tocsin {
namespace {

constexpr auto between_trims = std::chrono::minutes(10);
constexpr std::size_t questions_told = 5;

}  // namespace

std::string sentence_about(const std::vector<removal_book::open_question>& questions) {
    std::string out;
    for (std::size_t i = 0; i < questions.size() && i < questions_told; ++i) {
        out += (i == 0 ? "" : "; ") + sentence_about(questions[i].which, questions[i].why);
    }
    if (questions.size() > questions_told) {
        out += "; and " + std::to_string(questions.size() - questions_told) + " more";
    }
    if (!out.empty()) {
        out += ". They stay in the store until you decide: tocsin devices prune";
    }
    return out;
}

boost::asio::awaitable<void> removals_watch::look() {
    const auto open = co_await book_.questions();
    if (open.has_error()) {
        co_return;
    }
    std::set<target> now;
    for (const removal_book::open_question& one : *open) {
        numbers_.gauge(metric::held_removals, {one.which.app, to_string(one.which.on)})
            .set(static_cast<double>(one.devices + one.unlisted));
        now.insert(one.which);
    }
    for (const target& which : told_) {
        if (!now.contains(which)) {
            numbers_.gauge(metric::held_removals, {which.app, to_string(which.on)}).set(0);
        }
    }
    told_ = std::move(now);
    const std::string problem = sentence_about(*open);
    if (problem.empty()) {
        flag_.fulfilled();
    } else {
        flag_.failing(problem);
    }
    if (time_.now() >= next_trim_) {
        next_trim_ = time_.now() + between_trims;
        co_await trim();
    }
}

boost::asio::awaitable<void> removals_watch::trim() {
    std::vector<target> targets;
    for (const served_app& app : known_.apps()) {
        for (const auto& [on, unused] : app.platforms) {
            targets.push_back({app.id, on});
        }
    }
    for (const target& which : targets) {
        const auto trimmed = co_await traces_.trim(which.app, which.on, kept_for_);
        // What is damaged is that one's affair alone.
        if (trimmed.has_error() && trimmed.error() != redis::redis_errc::damaged) {
            co_return;  // Ten minutes later.
        }
    }
}

}  // namespace tocsin
