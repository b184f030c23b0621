#include "tests/engine/simulation/history.hpp"

#include "engine/core/rfc3339.hpp"
#include "providers/known_platforms.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <gtest/gtest.h>

namespace tocsin::testing {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr std::array<std::string_view, 4> communes{"21231", "21054", "21166", "21171"};

/// From a commune of one bucket to one of a hundred, which are five pages.
const territories& few_places() {
    static const territories loaded = territories::parse(
                                          "insee,name,population,department,epci\n"
                                          "21054,Beaune,9000,21,\n"
                                          "21166,Chenove,4000,21,\n"
                                          "21171,Chevigny,200,21,\n"
                                          "21231,Dijon,20000,21,\n",
                                          "epci,name,type,communes,population\n")
                                          .value();
    return loaded;
}

/// Quiet hours that it is, until the end of this minute or of one of the next two.
quiet_hours some_minutes_of_quiet(wall_time now, std::size_t more) {
    const auto clock = [](wall_time utc) {
        const auto minutes = std::chrono::floor<std::chrono::minutes>(utc.time_since_epoch()) + 1h;
        const auto text = [](std::int64_t number) {
            return (number < 10 ? "0" : "") + std::to_string(number);
        };
        return text(minutes / 1h % 24) + ":" + text(minutes / 1min % 60);
    };
    quiet_hours_settings how;
    how.from = clock(now - 1min);
    how.to = clock(now + std::chrono::minutes(1 + more));
    how.spread = 5s;
    return quiet_hours::make(how).value();
}

std::string letter_of(platform on) {
    return on == platform::apns ? "a" : "f";
}

}  // namespace

history::history(redis_pair& redis, logger& log, std::uint64_t seed)
    : redis_(redis), log_(log), random_(seed) {
    platforms_.push_back(platform::fcm);
    if (one_in(3)) {
        platforms_.push_back(platform::apns);
    }
    how_.lease = 10s;
    how_.pages_in_flight = 1 + below(3);
    how_.max_attempts = 4;
    how_.max_takeovers = 1'000;  // Nobody is put aside for what a simulation does to its engines.
    how_.shutdown_timeout = 5s;
    if (one_in(5)) {
        quiet_ = some_minutes_of_quiet(time_.wall_now(), below(2));
    }
    constexpr std::array<std::size_t, 4> harshness{0, 1, 5, 15};
    mishaps_per_hundred_ = harshness[below(harshness.size())];
    forgets_ = one_in(6);
    fails_over_ =
        !forgets_ && one_in(15);  // Replicas synchronise at the pace of a clock that goes once a second.
    redis_.begin(fails_over_);
    for (std::size_t i = 0; i < 1 + below(3); ++i) {
        named_engine& one = engines_.emplace_back();
        one.name = std::string(1, static_cast<char>('a' + i));
        one.threads = 1 + below(2);
    }
}

// --- What there is ---------------------------------------------------------------------------

void history::register_devices() {
    device_store store(
        direct_, keys_, known_platforms(),
        {[](commune_id commune) { return few_places().population(commune); },
         [](std::string_view) { return few_places().total_population(); }});
    std::vector<device_change> changes;
    for (std::size_t i = 0; i < 1 + below(30); ++i) {
        device_change& one = changes.emplace_back();
        one.app = "mairies";
        one.where = platforms_[below(platforms_.size())];
        one.which.token = "a-device-with-a-long-name-" + std::to_string(i);
        one.which.registered_at = 1'000;
        std::set<territory> follow;
        for (std::size_t n = 0; n < 1 + below(2); ++n) {
            territory where{*parse_commune_id(communes[below(communes.size())]), {}};
            where.zone = one_in(5) ? "centre" : "";
            follow.insert(std::move(where));
        }
        one.which.follow.assign(follow.begin(), follow.end());
        if (one_in(8)) {
            one.which.mute.emplace_back("agenda");
        }
    }
    devices_ = changes;
    ASSERT_TRUE(at_once(store.apply(std::move(changes))).has_value());
}

void history::publish() {
    published_event& event = events_.emplace_back();
    event.id = "event-" + std::to_string(events_.size());
    std::set<std::string> audience;
    std::set<territory> whom;
    for (std::size_t n = 0; n < 1 + below(3); ++n) {
        const std::string commune(communes[below(communes.size())]);
        if (one_in(6)) {
            audience.insert("everyone");
            for (const std::string_view each : communes) {
                whom.insert({*parse_commune_id(each), {}});
            }
        } else if (one_in(5)) {
            audience.insert("zone:" + commune + ":centre");
            whom.insert({*parse_commune_id(commune), "centre"});
        } else if (one_in(6)) {
            // One that is registered, perhaps.
            const std::string token = "a-device-with-a-long-name-" + std::to_string(below(40));
            audience.insert("device:fcm:" + token);
            event.devices.insert("f" + token);
        } else {
            audience.insert("commune:" + commune);
            whom.insert({*parse_commune_id(commune), {}});
        }
    }
    const bool agenda = one_in(3);
    for (const device_change& one : devices_) {
        const std::string name = letter_of(one.where) + one.which.token;
        const bool matched = std::ranges::any_of(
            one.which.follow, [&](const territory& where) { return whom.contains(where); });
        if (matched) {
            event.devices.insert(name);
        }
        event.muted += agenda && !one.which.mute.empty() && event.devices.contains(name) ? 1 : 0;
    }
    constexpr std::array priorities{priority::critical, priority::high, priority::normal};
    publish_event like;
    like.priority = priorities[below(priorities.size())];
    const std::int64_t ttl = one_in(4) ? 20 : 3'600;
    json::object document{
        {"id", event.id},
        {"audience", json::array(audience.begin(), audience.end())},
        {"priority", to_string(like.priority)},
        {"ttl", ttl},
        {"notification", {{"body", "Bonjour"}}}};
    if (one_in(4)) {
        event.remembers = true;
        document["remember_reached"] = true;
    }
    if (agenda) {
        document["category"] = "agenda";
    }
    if (one_in(6)) {
        document["spread"] = 5;
    }
    event.due = time_.wall_now();
    if (one_in(8)) {
        event.due += 3s;
        document["send_at"] = format_rfc3339(event.due);
    }
    event.expires_at = event.due + std::chrono::seconds(ttl);
    if (quiet_.hold(like)) {
        // France has one clock in November: that of the communes here.
        event.due = quiet_.end("Europe/Paris", event.due).value_or(event.due);
    }
    for (std::size_t times = one_in(10) ? 2 : 1; times > 0; --times) {
        redis::request add;
        add.add(
            "XADD", keys_.events(), std::to_string(time_.wall_now().time_since_epoch().count()) + "-*",
            "event", json::serialize(document));
        ASSERT_FALSE(redis_.server().ask(std::move(add)).front().is_error());
    }
}

void history::start(named_engine& which) {
    const simulated_engine::surroundings world{few_places(), keys_,      *which.time, log_,
                                               redis_,       platforms_, quiet_};
    engine_settings how = how_;
    how.instance = which.name;
    how.threads = which.threads;
    which.life = std::make_unique<simulated_engine>(world, how);
    which.since_renewal = {};
    which.renews = true;
    which.life->run();
}

// --- What happens ----------------------------------------------------------------------------

void history::live() {
    register_devices();
    publish();
    for (named_engine& one : engines_) {
        start(one);
    }
    for (std::size_t steps = 60 + below(160); steps > 0 && !::testing::Test::HasFatalFailure(); --steps) {
        step();
    }
    calm_down();
    check();
}

void history::step() {
    named_engine& which = engines_[below(engines_.size())];
    if (which.life == nullptr) {
        if (one_in(4)) {
            start(which);
        }
        return;
    }
    if (forgets_ && one_in(40)) {
        one_in(3) ? lose_what_came_after() : take_snapshot();
        return;
    }
    if (fails_over_ && one_in(20)) {
        fail_over();
        return;
    }
    const std::size_t what = below(100);
    if (what < 50) {
        answer_redis(which);
    } else if (what < 80) {
        send_and_hear(which);
    } else if (what < 94) {
        pass_time(std::chrono::milliseconds(one_in(30) ? below(30'000) : below(one_in(4) ? 3'000 : 200)));
    } else if (what < 95) {
        kill(which);
        if (one_in(2)) {
            start(which);
        }
    } else if (what < 96) {
        if (!which.life->stopping()) {
            which.stop_by = which.time->now() + how_.shutdown_timeout;
            which.life->stop();
            which.life->run();
        }
    } else if (what < 97) {
        which.renews = !which.renews;
    } else if (what < 98) {
        arrive_late();
    } else if (one_in(4)) {
        set_a_clock();
    } else if (redis_.demoted()) {
        // Who publishes or cancels is told so, and does it again later.
    } else if (one_in(4)) {
        cancel_one();
    } else if (events_.size() < 2) {
        publish();
    }
    bury(which);
}

void history::bury(named_engine& which) {
    if (which.life != nullptr && which.life->stopped()) {
        // Who did not hear from Redis in time has left its pages as a death would.
        kills_ += which.time->now() >= which.stop_by ? 1 : 0;
        which.life.reset();
    }
}

void history::answer_redis(named_engine& which) {
    const auto& connections = which.life->connections();
    const std::size_t first = below(connections.size());
    for (std::size_t i = 0; i < connections.size(); ++i) {
        faulty_redis& one = *connections[(first + i) % connections.size()];
        if (!one.ready(one_in(8))) {
            continue;
        }
        mishap how = mishap::none;
        if (mishaps_per_hundred_ != 0 && one_in(2'000)) {
            one.hold(which.time->now() + std::chrono::seconds(below(300)));
            return;
        }
        if (below(100) < mishaps_per_hundred_) {
            how = static_cast<mishap>(1 + below(5));
            lost_connections_ += how == mishap::unreachable || how == mishap::refused ? 0 : 1;
        }
        lost_connections_ += one.perform(how, later_) ? 0 : 1;
        which.life->run();
        return;
    }
}

void history::send_and_hear(named_engine& which) {
    auto& channels = which.life->channels();
    if (channels.empty()) {
        return;
    }
    imagined_channel& one = *channels[below(channels.size())];
    for (std::size_t i = below(6); i > 0 && one.may_take(); --i) {
        send(which, one);
    }
    for (std::size_t i = below(4); i > 0 && one.in_flight() != 0; --i) {
        hear(which, one, false);
    }
    which.life->run();
}

history::published_event& history::event_of(const push& item) {
    return *std::ranges::find(events_, item.owner->event().id, &published_event::id);
}

void history::send(named_engine& which, imagined_channel& through) {
    const push* const item = through.take(which.time->now());
    if (item == nullptr) {
        return;
    }
    const active_event& event = item->owner->event();
    EXPECT_LT(which.time->now(), event.expires) << "sent after the expiry";
    if (!clocks_were_set_) {
        EXPECT_LT(time_.wall_now(), event_of(*item).expires_at) << "sent after the expiry";
        EXPECT_GE(time_.wall_now(), event_of(*item).due) << "sent too early";
    }
    // Redis may have forgotten the cancel.
    EXPECT_FALSE(event.cancelled && !lost_history_) << "sent after the event was known to be cancelled";
    EXPECT_FALSE(which.life->knows_cancelled(event.id) && !lost_history_)
        << "sent after the engine was told of the cancel";
    sent_again_ += item->maybe_sent ? 1 : 0;
    event_of(*item).offered.insert(letter_of(item->owner->from()->which.on) + std::string(item->token));
    std::size_t& biggest = biggest_page_[event.id];
    biggest = std::max(biggest, item->owner->pushes().size());
}

void history::hear(named_engine& which, imagined_channel& from, bool kindly) {
    const std::size_t index = below(from.in_flight());
    const push& item = from.at(index);
    const std::string device = letter_of(item.owner->from()->which.on) + std::string(item.token);
    verdict said;
    said.status = 400;
    said.reason = "Said";
    bool reached = false;
    switch (kindly ? 99 : below(24)) {
        case 0: said.action = reaction::resend; break;
        case 1:
        case 2:
            said.action = reaction::unknown;
            said.status = 0;
            reached = one_in(2);
            break;
        case 3: said.action = reaction::retry_here; break;
        case 4:
        case 5:
            said.action = reaction::retry_elsewhere;
            said.retry_after = std::chrono::milliseconds(below(20'000));
            break;
        case 6: said.action = reaction::drop_token; break;
        case 7: said.action = reaction::reject_push; break;
        case 8: said.action = reaction::doubt_token; break;
        case 9:
            if (one_in(6)) {
                said.action = reaction::pause_quota;
                said.retry_after = std::chrono::milliseconds(below(5'000));
                break;
            }
            [[fallthrough]];
        default:
            said.action = reaction::accept;
            said.status = 200;
            reached = true;
            break;
    }
    if (reached) {
        ++event_of(item).reached[device];
    }
    from.answer(index, said, which.time->now());
}

}  // namespace tocsin::testing
