#include "engine/delivery/target_sender.hpp"

#include "engine/runtime/deadline.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// From the reading of an event to its shards, if all goes well.
constexpr auto expectation = 500ms;
// A lane that hears nothing of its slice for this long gets by on what it usually gets.
constexpr auto slice_patience = 500ms;
constexpr std::chrono::milliseconds sampling_period{100};
// From here on a thread is what limits its lanes.
constexpr double busy_share = 0.8;
// Messages rendered anew after a reload that are kept at hand.
constexpr std::size_t most_rendered = 1'000;

lane_settings lane_settings_for(const engine_settings& how, const provider& through) {
    lane_settings out;
    out.max_attempts = how.max_attempts;
    out.retries.floor = through.retry_floor();
    return out;
}

}  // namespace

target_sender::target_sender(
    const sending_thread& where, target which, std::shared_ptr<provider> through, std::uint64_t generation)
    : here_(where),
      which_(std::move(which)),
      through_(std::move(through)),
      generation_(generation),
      line_(
          which_, lane_settings_for(here_.how, *through_), here_.time, here_.log, here_.metrics,
          event_seed(to_string(which_) + here_.how.instance) + here_.index, *this),
      channels_(line_, {here_.executor, here_.index, here_.time, here_.log, here_.metrics, line_}),
      more_(here_.executor, here_.time),
      look_(here_.executor, here_.time),
      tasks_(here_.executor, here_.time) {
    channels_.open(*through_);
    tasks_.spawn(feed());
    tasks_.spawn(look_after());
}

std::shared_ptr<const message> target_sender::render(const active_event& event) {
    if (event.generation == generation_) {
        const auto found = event.messages.find(which_);
        return found == event.messages.end() ? nullptr : found->second;
    }
    if (const auto found = rendered_.find(event.id); found != rendered_.end()) {
        return found->second;
    }
    auto made = through_->render(event.content);
    if (made.has_error()) {
        here_.log.error(
            "event.cannot_be_rendered",
            {{"event_id", event.id}, {"target", to_string(which_)}, {"reason", made.error().message}});
        return nullptr;
    }
    if (rendered_.size() >= most_rendered) {
        rendered_.clear();
    }
    return rendered_.emplace(event.id, std::move(*made)).first->second;
}

void target_sender::reload(std::shared_ptr<provider> through, std::uint64_t generation) {
    generation_ = generation;
    rendered_.clear();
    through_ = std::move(through);
    channels_.retire();
    if (through_ == nullptr) {
        return;
    }
    for (const auto& shard : held_) {
        // Kept until the shard has gone: what is in flight still points into it.
        shard->replaced.push_back(std::move(shard->content));
        shard->content = render(*shard->event);
    }
    for (const auto& [key, open] : open_) {
        page& what = open->what;
        if (const auto& content = what.from()->content; content != nullptr) {
            what.replace_content(*content);
            if (auto* const reception = what.reception(); reception != nullptr) {
                reception->forget();
            }
        }
    }
    channels_.open(*through_);
    line_.resume();
}

void target_sender::obey(const control_state& state, std::uint64_t rate) {
    const time_point now = here_.time.now();
    const wall_time wall_now = here_.time.wall_now();
    for (const auto& shard : held_) {
        if (state.cancelling.contains(shard->event->id)) {
            shard->event->cancelled.store(true, std::memory_order_relaxed);
            more_.wake_all();  // Its pages wait for no moment any more.
        }
    }
    line_.set_rate(rate);
    line_.set_held(state.holds_back(which_));
    if (through_ != nullptr) {
        const auto used_up = state.quotas.find(through_->quota());
        if (used_up != state.quotas.end() && used_up->second > wall_now) {
            line_.hold_quota(now + (used_up->second - wall_now));
        }
    }
    line_.sweep(now);
    channels_.wake();
}

void target_sender::expect() {
    line_.expect(here_.time.now() + expectation);
    channels_.prepare();
}

void target_sender::assign(std::shared_ptr<active_event> event, claimed_shard work) {
    auto shard = std::make_shared<active_shard>();
    shard->event = std::move(event);
    shard->which = which_;
    shard->entry = std::move(work.entry);
    shard->work = std::move(work.work);
    shard->pages = page_count(shard->work);
    shard->content = render(*shard->event);
    for (std::uint32_t index = 0; index < shard->pages; ++index) {
        shard->unread += shard->guessed(index);
    }
    line_.count_unread(shard->unread, 0);
    channels_.prepare();
    held_.push_back(shard);
    shards_.push(std::move(shard));
    more_.wake_all();
}

asio::awaitable<result<>> target_sender::renew_leases() {
    using names_by_event = std::map<std::string, std::vector<std::string>>;
    names_by_event late;
    names_by_event held;
    for (const auto& [key, open] : open_) {
        if (open->what.late()) {
            late[open->what.event().id].push_back(open->what.late_name());
        }
    }
    for (const auto& shard : held_) {
        held[shard->event->id].push_back(shard->entry);
    }
    for (auto& [event, names] : late) {
        const auto renewed = co_await here_.book.renew_late(event, which_, std::move(names), late_until());
        if (renewed.has_error()) {
            co_return renewed.error();
        }
    }
    for (auto& [event, entries] : held) {
        const auto renewed = co_await here_.book.renew(event, which_, std::move(entries));
        if (renewed.has_error()) {
            co_return renewed.error();
        }
    }
    co_return result<>();
}

asio::awaitable<void> target_sender::stop(time_point answers_until, time_point end) {
    stopping_ = true;
    line_.stop(here_.time.now());
    more_.wake_all();
    look_.wake_all();
    co_await tasks_.wait_until(answers_until);
    channels_.close();
    for (const auto& [key, open] : open_) {
        for (push& item : open->what.pushes()) {
            line_.abandon(item);
        }
    }
    co_await tasks_.wait_until(end);
    // What is left goes back for any engine to take, at once.
    const auto left = held_;
    for (const auto& shard : left) {
        const auto released = co_await here_.book.release(shard->event->id, which_, shard->entry);
        if (released.has_error() && here_.time.now() >= end) {
            co_return;
        }
        if (released.has_value()) {
            shard_left(*shard);
        }
    }
}

lane_status target_sender::status() const {
    lane_status out;
    out.which = which_;
    out.waiting = line_.waiting();
    out.in_flight = line_.in_flight();
    out.rate = line_.rate();
    out.paused_because = line_.paused_because();
    out.bound = line_.bound(here_.time.now());
    out.bound_lately = line_.account().lately();
    if (const channel* const out_of = channels_.in_use()) {
        out.connections = out_of->statistics();
    }
    return out;
}

// The lane, and what it is told of its surroundings.

void target_sender::page_done(page& which) {
    // Called from the depths of a connection: what follows happens when that is left.
    line_.close_account(which, here_.time.now());
    open_.find(&which)->second->news.notify_all();
}

void target_sender::page_nearly_done() {
    if (!shards_.empty()) {
        more_.wake_all();
    }
}

void target_sender::slice_wanted(const slice_question& what) {
    tasks_.spawn(lease_slice(what));
}

void target_sender::look_at(time_point when) {
    if (when < look_.expiry()) {
        look_.wake_all();
    }
}

void target_sender::quota_used_up(std::chrono::milliseconds rest) {
    if (through_ != nullptr) {
        here_.listener.quota_used_up(through_->quota(), here_.time.wall_now() + rest);
    }
    tasks_.spawn(slow_down(rest));
}

asio::awaitable<void> target_sender::lease_slice(slice_question asked) {
    quota_book::question what;
    what.which = which_;
    what.rate = asked.rate;
    what.wanted = asked.pushes;
    what.critical = asked.critical;
    // Sockets live in real time, whatever the clock of the lanes says.
    const auto slice =
        co_await with_deadline(here_.quotas.lease(std::move(what)), tocsin::clock::now() + slice_patience);
    if (slice.has_value()) {
        line_.slice_granted(asked, *slice, here_.time.now());
    } else {
        line_.slice_failed(asked, here_.time.now());
    }
    channels_.wake();
}

asio::awaitable<void> target_sender::slow_down(std::chrono::milliseconds rest) {
    const auto told = co_await here_.quotas.slow_down(which_, rest);
    if (told.has_error()) {
        here_.log.warning("quota.not_shared", {{"error", told.error().message()}});
    }
}

asio::awaitable<void> target_sender::look_after() {
    while (!stopping_) {
        const time_point next = line_.next_look();
        // Woken by start() when there is more to look after, and once a second in any case.
        // More often while there is work, so that what it is bound by is a share of time.
        const bool working = line_.waiting() != 0 || !shards_.empty();
        const duration rest = working ? duration(sampling_period) : duration(1s);
        co_await look_.wait_until(std::min(next, here_.time.now() + rest));
        const time_point woken = here_.time.now();
        observe(woken);
        if (line_.tick(woken)) {
            channels_.wake();
        }
        channels_.drop_retired();
    }
}

/// Tells the lane what the provider, its connections and this thread let it do.
void target_sender::observe(time_point now) {
    bool used_up = false;
    if (const channel* const out = channels_.in_use()) {
        const channel_statistics is = out->statistics();
        used_up = is.saturated || is.connections_ready == 0;
        if (line_.waiting() != 0) {
            const bool connected = is.connections_ready != 0 || is.in_flight != 0;
            line_.observe_provider(through_->credential().usable, connected, now);
        }
        const auto set = [this](std::string_view state, std::size_t amount) {
            here_.metrics.gauge(metric::connections, {which_.app, to_string(which_.on), state})
                .set(static_cast<double>(amount));
        };
        set("ready", is.connections_ready);
        set("connecting", is.connections_connecting);
        set("draining", is.connections_draining);
    }
    line_.observe(used_up, here_.load.share(now) >= busy_share, now);
}

}  // namespace tocsin
