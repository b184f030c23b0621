#include "engine/plan/report.hpp"
#include "tests/engine/simulation/history.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <utility>

#include <gtest/gtest.h>

namespace tocsin::testing {
namespace {

namespace json = boost::json;

// Whatever delays an event is over within as many rounds.
constexpr int most_rounds = 2'000;

}  // namespace

bool history::work_off(named_engine& which) {
    bool worked = false;
    for (bool more = true; more;) {
        more = false;
        which.life->run();
        for (const auto& connection : which.life->connections()) {
            if (connection->ready(false)) {
                lost_connections_ += connection->perform(mishap::none, later_) ? 0 : 1;
                more = true;
            }
        }
        which.life->run();
        const auto channels = which.life->channels();
        for (imagined_channel* const one : channels) {
            while (one->may_take()) {
                send(which, *one);
                more = true;
            }
            while (one->in_flight() != 0) {
                hear(which, *one, true);
                more = true;
            }
        }
        worked = worked || more;
    }
    return worked;
}

std::set<std::string> history::results() {
    redis::request ask;
    ask.add("XRANGE", keys_.results(), "-", "+");
    const auto answer = redis_.server().ask(std::move(ask));
    std::set<std::string> out;
    for (std::size_t i = 0; i < answer.front().size(); ++i) {
        out.emplace(json::parse(answer.front()[i][1][1].text()).at("event").as_string());
    }
    return out;
}

std::set<std::string> history::named_in(const std::string& stream) {
    redis::request ask;
    ask.add("XRANGE", stream, "-", "+");
    const auto answer = redis_.server().ask(std::move(ask));
    std::set<std::string> out;
    for (std::size_t i = 0; i < answer.front().size(); ++i) {
        for (const published_event& event : events_) {
            if (answer.front()[i][1][1].text().find('"' + event.id + '"') != std::string_view::npos ||
                answer.front()[i][1][1].text().find("\\\"" + event.id + "\\\"") != std::string_view::npos) {
                out.insert(event.id);
            }
        }
    }
    return out;
}

bool history::all_published() {
    const std::set<std::string> told = results();
    redis::request ask;
    ask.add("ZCARD", keys_.begun()).add("ZCARD", keys_.scheduled()).add("ZCARD", keys_.running());
    const auto listed = redis_.server().ask(std::move(ask));
    if (listed[0].integer() != 0 || listed[1].integer() != 0 || listed[2].integer() != 0) {
        return false;
    }
    if (!lost_history_) {
        return told.size() == events_.size();
    }
    const std::set<std::string> letters = named_in(keys_.dead_letters());
    const std::set<std::string> entries = named_in(keys_.events());
    return std::ranges::all_of(events_, [&](const published_event& one) {
        return told.contains(one.id) || letters.contains(one.id) || !entries.contains(one.id);
    });
}

// No more faults: whoever is still there ends what there is to end.
void history::calm_down() {
    if (std::ranges::none_of(
            engines_, [](const named_engine& one) { return one.life != nullptr && !one.life->stopping(); })) {
        if (engines_.front().life != nullptr) {
            kill(engines_.front());
        }
        start(engines_.front());
    }
    if (redis_.demoted()) {
        promote();
    }
    while (!later_.empty()) {
        arrive_late();
    }
    for (const named_engine& one : engines_) {
        if (one.life != nullptr) {
            for (const auto& connection : one.life->connections()) {
                connection->hold({});
            }
        }
    }
    // Whoever holds an event that Redis has forgotten makes sure before it says so.
    const int enough = lost_history_ ? 15 : 3;
    int quiet_rounds = 0;
    for (int round = 0; quiet_rounds < enough; ++round) {
        ASSERT_LT(round, most_rounds) << "the events do not come to their end\n" << describe();
        bool worked = false;
        for (named_engine& one : engines_) {
            one.renews = true;
            worked = (one.life != nullptr && work_off(one)) || worked;
            bury(one);
        }
        if (::testing::Test::HasFailure()) {
            return;
        }
        // And then long enough for every engine to see it.
        quiet_rounds = !worked || all_published() ? quiet_rounds + (all_published() ? 1 : 0) : 0;
        pass_time(std::chrono::milliseconds(500 + below(1'500)));
    }
}

std::string history::describe() {
    std::string out;
    for (const std::string& list : {keys_.running(), keys_.scheduled()}) {
        redis::request ask;
        ask.add("ZRANGE", list, 0, -1);
        const auto events = redis_.server().ask(std::move(ask));
        out += list;
        for (std::size_t i = 0; i < events.front().size(); ++i) {
            out += ' ' + std::string(events.front()[i].text());
        }
        out += '\n';
    }
    for (const published_event& event : events_) {
        redis::request ask;
        ask.add("HMGET", keys_.ledger(event.id), "state", "open", "parked");
        const auto fields = redis_.server().ask(std::move(ask));
        out += event.id;
        for (std::size_t i = 0; i < fields.front().size(); ++i) {
            out += ' ' + std::string(fields.front()[i].text());
        }
        out += '\n';
        for (const platform on : platforms_) {
            redis::request pending;
            pending.add(
                "XPENDING", keys_.shards(event.id, to_string(target{"mairies", on})), keyspace::group, "-",
                "+", 100);
            const auto held = redis_.server().ask(std::move(pending));
            for (std::size_t i = 0; i < held.front().size(); ++i) {
                const redis::reply one = held.front()[i];
                out += "  " + std::string(to_string(on)) + ' ' + std::string(one[0].text()) + " is held by " +
                       std::string(one[1].text()) + ", idle for " + std::to_string(*one[2].integer()) +
                       " ms\n";
            }
        }
    }
    for (const named_engine& one : engines_) {
        out += one.name + (one.life == nullptr ? " is down" : one.life->stopping() ? " stops" : " runs");
        if (one.life != nullptr) {
            for (const imagined_channel* const lane : one.life->channels()) {
                out += ", in flight: " + std::to_string(lane->in_flight());
            }
        }
        out += '\n';
    }
    return out;
}

void history::check() {
    redis::request ask;
    ask.add("XRANGE", keys_.results(), "-", "+").add("KEYS", keys_.prefix() + ":{e:*");
    const auto answer = redis_.server().ask(std::move(ask));
    std::map<std::string, std::string> documents;
    for (std::size_t i = 0; i < answer[0].size(); ++i) {
        const std::string text(answer[0][i][1][1].text());
        const std::string event(json::parse(text).at("event").as_string());
        EXPECT_TRUE(documents.emplace(event, text).second) << "two results of " << event;
    }
    const std::set<std::string> letters = named_in(keys_.dead_letters());
    const std::set<std::string> entries = named_in(keys_.events());
    for (std::size_t i = 0; i < answer[1].size(); ++i) {
        const std::string_view key = answer[1][i].text();
        // Of an event that was cancelled before it was read, and whose entry Redis has lost since.
        const bool called_off = lost_history_ && key.ends_with(":called-off");
        EXPECT_TRUE(key.ends_with(":ledger") || key.find(":reached:") != key.npos || called_off)
            << key << " was left behind";
    }
    for (const published_event& one : events_) {
        if (lost_history_ && !documents.contains(one.id)) {
            EXPECT_TRUE(letters.contains(one.id) || !entries.contains(one.id))
                << "Redis knows " << one.id << ", and nothing is said of it";
            continue;
        }
        EXPECT_FALSE(letters.contains(one.id)) << "a letter and a result of " << one.id;
        ASSERT_TRUE(documents.contains(one.id)) << "no result of " << one.id;
        check_event(one, documents.at(one.id));
        check_remembered(one);
    }
}

void history::check_remembered(const published_event& which) {
    ledger book(direct_, keys_, "auditor");
    std::set<std::string, std::less<>> remembered;
    for (const platform on : platforms_) {
        for (const hashed_device& one : at_once(book.reached(which.id, {"mairies", on})).value()) {
            remembered.insert((on == platform::apns ? "a" : "f") + std::string(one.which.view()));
        }
    }
    const auto hashed = [](const std::string& device) {
        return device.substr(0, 1) + std::string(hash_token(device.substr(1)).view());
    };
    if (!which.remembers) {
        EXPECT_TRUE(remembered.empty());
        return;
    }
    for (const auto& [device, times] : lost_history_ ? decltype(which.reached)() : which.reached) {
        EXPECT_TRUE(remembered.contains(hashed(device))) << device << " was reached and is not remembered";
    }
    std::set<std::string, std::less<>> possible;
    // What an engine did that died, or whose pages another took, nobody knows: then its whole page counts.
    const bool known = !lost_history_ && kills_ + lapses_ + lost_connections_ == 0;
    for (const std::string& device : known ? which.offered : which.devices) {
        possible.insert(hashed(device));
    }
    for (const std::string& one : remembered) {
        EXPECT_TRUE(possible.contains(one)) << "somebody is remembered who was not sent to";
    }
}

void history::check_event(const published_event& which, const std::string& document) {
    SCOPED_TRACE(document);
    ledger book(direct_, keys_, "auditor");
    const event_report report = read_report(which.id, at_once(book.read(which.id)).value());
    const json::object result = json::parse(document).as_object();
    EXPECT_EQ(report.targeted, result.at("targeted").to_number<std::uint64_t>())
        << "something was added after the result";
    EXPECT_EQ(report.ended(), report.targeted) << "every device ends in exactly one outcome";
    // One that is cancelled before its time is for nobody.
    const bool never_planned = which.cancelled && report.targeted == 0;
    if (events_.size() == 1 && !never_planned) {
        EXPECT_EQ(report.targeted, which.devices.size()) << "everybody, and nobody twice";
        EXPECT_EQ(report.count(outcome::muted), which.muted);
        EXPECT_TRUE(which.cancelled || report.count(outcome::cancelled) == 0);
    }  // Else the other may have brought it about that a device was removed meanwhile.
    EXPECT_LE(report.targeted, which.devices.size());
    EXPECT_LE(report.count(outcome::accepted), which.reached.size()) << "who is accepted was reached";
    std::uint64_t repeats = 0;
    for (const auto& [device, times] : which.reached) {
        EXPECT_TRUE(which.devices.contains(device)) << device << " was none of its audience";
        repeats += static_cast<std::uint64_t>(times) - 1;
    }
    if (lost_history_) {
        return;  // What was sent before is forgotten with the rest.
    }
    EXPECT_LE(repeats, report.possible_duplicates) << "more was sent twice than was admitted";
    std::size_t threads = 0;
    for (const named_engine& one : engines_) {
        threads = std::max(threads, one.threads);
    }
    // Of a page that nothing was sent from, nobody here has seen the size.
    const bool all_seen = report.count(outcome::cancelled) + report.count(outcome::expired) == 0;
    const std::uint64_t biggest = all_seen ? biggest_page_[which.id] : which.devices.size();
    const std::uint64_t open = how_.pages_in_flight * threads * platforms_.size();
    // Alone, an engine has nobody to lose its pages to: what comes to it again, it has.
    const std::uint64_t taken_over = engines_.size() == 1 ? 0 : lapses_;
    EXPECT_LE(
        report.possible_duplicates,
        sent_again_ + biggest * (kills_ * open + taken_over + lost_connections_ * platforms_.size()))
        << "more than the bound; kills: " << kills_ << ", lapsed leases: " << lapses_
        << ", lost connections: " << lost_connections_ << ", sent again without an answer: " << sent_again_;
}

}  // namespace tocsin::testing
