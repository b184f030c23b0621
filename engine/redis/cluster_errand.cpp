#include "engine/redis/cluster_errand.hpp"

#include "engine/redis/error.hpp"
#include "engine/redis/slot.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace tocsin::redis {
namespace {

/// Refusals of a command that did not run and will when a failover or a migration is over.
bool passes(std::string_view refusal) noexcept {
    constexpr std::array<std::string_view, 5> passing{
        "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "UNBLOCKED"};
    return std::any_of(
        passing.begin(), passing.end(), [&](std::string_view prefix) { return refusal.starts_with(prefix); });
}

/// Errors that promise that nothing has run.
bool is_harmless(error_code why) noexcept {
    return why == redis_errc::unreachable || why == redis_errc::refused || why == redis_errc::overloaded ||
           why == redis_errc::closed;
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): cancel() throws only if the OS refuses epoll_ctl.
void cluster_part::on_done() noexcept {
    if (--round->open == 0) {
        round->signal.cancel();
    }
}

cluster_errand::cluster_errand(request what) : list_(std::move(what)) {
    commands_.resize(list_.size());
    left_ = commands_.size();
    for (std::size_t i = 0; i < commands_.size(); ++i) {
        const std::string_view neighbour = list_.beside(i);
        const command_route route = neighbour.empty()
                                        ? route_command(list_.words(i))
                                        : command_route{command_route::destination::key, neighbour};
        commands_[i].to = route.to;
        commands_[i].slot = route.to == command_route::destination::key ? key_slot(route.key) : 0;
        routable_ = routable_ && route.to != command_route::destination::nowhere;
    }
}

void cluster_errand::begin_round() noexcept {
    for (command& one : commands_) {
        if (!one.answered) {
            one.copies = 0;
            one.has_answer = false;
        }
    }
}

void cluster_errand::add_to(cluster_parcel& parcel, std::size_t index) {
    if (parcel.asking) {
        parcel.what.add("ASKING");  // Holds for the next command only.
    }
    parcel.commands.emplace_back(index, parcel.what.count());
    list_.append_to(parcel.what, index);
    ++commands_[index].copies;
}

cluster_errand::verdict cluster_errand::take(std::vector<std::shared_ptr<cluster_part>> parts, bool last) {
    verdict out;
    for (const auto& part : parts) {
        ran_ = ran_ || part->ran;
    }
    for (const auto& part : parts) {
        if (part->failure) {
            fail(part->failure, last, out);
            continue;
        }
        bool used = false;
        for (const auto& [index, position] : part->commands) {
            const reply got = part->answers[position];
            if (take_reply(*part, index, got, last, out) == taken::again) {
                continue;
            }
            command& one = commands_[index];
            // Of several nodes' answers the first error counts, for it is what has to be known.
            if (!one.has_answer || (got.is_error() && !one.is_error)) {
                one.answer = {answered_.size(), position};
                one.is_error = got.is_error();
                used = true;
            }
            one.has_answer = true;
            if (--one.copies == 0) {
                one.answered = true;
                --left_;
            }
        }
        if (used) {
            answered_.push_back(part);
        }
    }
    return out;
}

cluster_errand::taken cluster_errand::take_reply(
    const cluster_part& part, std::size_t index, const reply& got, bool last, verdict& out) {
    command& one = commands_[index];
    if (!got.is_error() || last) {
        return taken::answer;
    }
    if (auto to = parse_redirection(got.text(), part.node->where)) {
        one.ask = to->ask ? std::optional(to->to) : std::nullopt;
        out.redirected = true;
        if (!to->ask) {
            out.moved.push_back(std::move(*to));
        }
        return taken::again;
    }
    // Another node's answer would not be about what was done here.
    if (passes(got.text()) && list_.beside(index).empty()) {
        one.ask.reset();
        out.pause = true;
        out.refresh = out.refresh || !got.text().starts_with("TRYAGAIN");
        return taken::again;
    }
    return taken::answer;
}

void cluster_errand::fail(error_code why, bool last, verdict& out) const {
    if (why == redis_errc::unreachable && !last) {
        out.pause = true;
        out.refresh = true;
        return;
    }
    out.refresh = out.refresh || why == redis_errc::unreachable || !is_harmless(why);
    if (!out.failure || is_harmless(out.failure)) {
        out.failure = is_harmless(why) && ran_ ? make_error_code(redis_errc::connection_lost) : why;
    }
}

error_code cluster_errand::given_up() const noexcept {
    return ran_ ? redis_errc::connection_lost : redis_errc::unreachable;
}

replies cluster_errand::collect() {
    std::vector<reply_merger::source> order;
    order.reserve(commands_.size());
    bool as_it_came = answered_.size() == 1 && answered_.front()->answers.size() == commands_.size();
    for (std::size_t i = 0; i < commands_.size(); ++i) {
        order.push_back(commands_[i].answer);
        as_it_came = as_it_came && order.back().index == i;
    }
    if (as_it_came) {
        return std::move(answered_.front()->answers);
    }
    std::vector<replies*> parts;
    parts.reserve(answered_.size());
    for (const auto& part : answered_) {
        parts.push_back(&part->answers);
    }
    return reply_merger::merge(parts, order);
}

}  // namespace tocsin::redis
