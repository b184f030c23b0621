#include "tests/providers/http2/pool_fixture.hpp"
#include "tests/support/manual_time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// Five minutes in which a provider is of no use, in each of the ways in which one can be, on a clock that the
// test moves: how often it is dialled, and how soon it is noticed that it is over.

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

enum class outage : std::uint8_t {
    refused,
    tcp_alone,
    tls_alert,
    goaway_at_once,
    goaway_after_one,
    goaway_and_silence,
    cut_after_one,
    errors,
    errors_and_left_alone,
    silence,
    frozen,
    streams_refused,
    no_streams,
};

struct outage_case {
    outage kind;
    const char* name;
    bool under_way;  ///< It begins while connections are in use.
    bool many;       ///< As FCM: many connections, nothing to be proven first, answers end none.
};

void PrintTo(const outage_case& given, std::ostream* out) {
    *out << given.name;
}

/// Has far more to send than anybody takes. What fails comes back a second later, for ever.
class patient_client final : public client {
public:
    explicit patient_client(connection_advice when_in_trouble) : advice_(when_in_trouble) {}

    bool next_request(std::uint64_t, time_point, request& out) noexcept override {
        if (ready_.empty()) {
            return false;
        }
        const std::size_t index = ready_.back();
        ready_.pop_back();
        ++open_;
        out.add(":method", "POST");
        out.add(":scheme", "https");
        out.add(":authority", "push.test");
        out.add(":path", "/3/device/x", indexing::never);
        out.body[0] = "{}";
        out.context = reinterpret_cast<void*>(index + 1);
        return true;
    }
    [[nodiscard]] bool urgent() const noexcept override { return false; }
    [[nodiscard]] std::size_t open_requests() const noexcept override { return open_; }
    [[nodiscard]] std::size_t backlog(duration) const noexcept override {
        return ready_.empty() && later_.empty() && open_ == 0 ? 0 : 100'000;
    }
    connection_advice on_response(const response& answer) noexcept override {
        --open_;
        if (answer.status == 200) {
            ++accepted;
            return connection_advice::keep;
        }
        later_.push_back(reinterpret_cast<std::uintptr_t>(answer.context) - 1);
        return advice_;
    }
    void on_failure(const failed_request& failed) noexcept override {
        --open_;
        later_.push_back(reinterpret_cast<std::uintptr_t>(failed.context) - 1);
    }

    void add(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            ready_.push_back(i);
        }
    }
    void come_back() {
        ready_.insert(ready_.end(), later_.begin(), later_.end());
        later_.clear();
    }

    std::size_t accepted = 0;

private:
    connection_advice advice_;
    std::vector<std::size_t> ready_;
    std::vector<std::size_t> later_;
    std::size_t open_ = 0;
};

class OutageTest : public ::testing::TestWithParam<outage_case> {
protected:
    OutageTest() {
        policy.max_connections = GetParam().many ? 32 : 4;
        policy.stream_cap = GetParam().many ? 100 : 1000;
        policy.probe_first = !GetParam().many;
        server.on_request = [this](auto& peer, std::int32_t stream, const auto&) { answer(peer, stream); };
        server.on_greeting = [this](auto& peer) {
            if (begun && GetParam().kind == outage::goaway_at_once) {
                peer.http2.go_away(0);
            } else if (begun && GetParam().kind == outage::no_streams) {
                peer.http2.set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0);
            }
        };
        net::tls_options options;
        options.ca_file = ca.file();
        options.alpn = "h2";
        pool_ = std::make_unique<pool>(
            loop.get_executor(), endpoint{"127.0.0.1", server.port()},
            net::tls_context::create(options).value(), policy,
            thread_commons{std::make_shared<turns>(loop.get_executor(), time), std::make_shared<dial_gate>()},
            time, log, 7);
        pool_->attach(sender);
    }
    ~OutageTest() override {
        pool_->detach(sender);
        pool_.reset();
        loop.restart();
        loop.poll();
    }

    void begin() {
        begun = true;
        for (const auto& peer : server.peers()) {
            switch (GetParam().kind) {
                case outage::refused:
                case outage::tcp_alone:
                case outage::tls_alert:
                case outage::cut_after_one: peer->cut(); break;
                case outage::goaway_at_once:
                case outage::goaway_after_one:
                case outage::goaway_and_silence: peer->http2.go_away(INT32_MAX); break;
                case outage::frozen: peer->muted = true; break;
                case outage::no_streams: peer->http2.set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0); break;
                default: break;
            }
            peer->flush();
        }
        switch (GetParam().kind) {
            case outage::refused: server.stop_listening(); break;
            case outage::tcp_alone: server.welcomes = h2_tls_server::welcome::ignore; break;
            case outage::tls_alert: server.welcomes = h2_tls_server::welcome::alert; break;
            default: break;
        }
    }
    void end() {
        begun = false;
        server.welcomes = h2_tls_server::welcome::serve;
        if (GetParam().kind == outage::refused) {
            server.listen_again();
        }
    }

    void answer(h2_tls_server::peer& peer, std::int32_t stream) {
        if (!begun) {
            peer.http2.respond(stream, "200");
            return;
        }
        switch (GetParam().kind) {
            case outage::goaway_after_one: peer.http2.go_away(0); break;
            case outage::goaway_and_silence: peer.http2.go_away(stream); break;
            case outage::cut_after_one: peer.cut(); break;
            case outage::errors: peer.http2.respond(stream, "500"); break;
            case outage::errors_and_left_alone:
                peer.http2.respond(stream, "503", {}, {{"retry-after", "5"}});
                break;
            case outage::frozen: peer.muted = true; break;
            case outage::streams_refused: peer.http2.refuse(stream); break;
            default: break;
        }
    }

    /// Until nobody has anything to do at this moment.
    void settle() {
        do {
            loop.restart();
            while (loop.poll() != 0) {
                loop.restart();
            }
        } while (loop.run_one_for(1ms) != 0);
    }
    /// Moves the time, from one thing that is due to the next. What has failed comes back every second.
    template <class Predicate>
    [[nodiscard]] bool live(duration how_long, Predicate done) {
        const time_point last = time.now() + how_long;
        settle();
        while (!done() && time.now() < last) {
            const time_point next = std::min({last, next_second_, time.next_waking()});
            time.advance(std::max<duration>(next - time.now(), 0s));
            if (time.now() >= next_second_) {
                next_second_ = time.now() + 1s;
                sender.come_back();
                pool_->wake(sender);
            }
            settle();
            const pool_statistics there = pool_->statistics();
            most_open = std::max(most_open, there.connecting + there.ready + there.draining);
        }
        return done();
    }

    static constexpr std::size_t pushes = 50;

    testing::manual_time time;  // The last to go: alarms are set on it.
    boost::asio::io_context loop{1};
    throw_away_ca ca;
    h2_tls_server server{loop, ca};
    recorded_log log;
    patient_client sender{GetParam().many ? connection_advice::doubt : connection_advice::drain};
    pool_policy policy;
    std::unique_ptr<pool> pool_;
    std::size_t most_open = 0;
    bool begun = false;

private:
    time_point next_second_ = time.now();
};

TEST_P(OutageTest, CostsTheProviderAHandfulOfDialsAMinuteAndEndsWithinSecondsOfItsEnd) {
    if (GetParam().under_way) {
        sender.add(pushes);
        ASSERT_TRUE(live(30s, [&] { return sender.accepted == pushes; }));
        ASSERT_NE(pool_->statistics().ready, 0U);
    }
    begin();
    sender.accepted = 0;
    sender.add(pushes);
    const std::uint64_t before = pool_->statistics().dials;
    most_open = 0;
    EXPECT_FALSE(live(5min, [&] { return sender.accepted != 0; }));
    const std::uint64_t dials = pool_->statistics().dials - before;
    EXPECT_LT(dials, 60U);
    EXPECT_LE(most_open, 2 * policy.max_connections);

    end();
    const time_point ended = time.now();
    EXPECT_TRUE(live(30s, [&] { return sender.accepted == pushes; })) << sender.accepted;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(time.now() - ended).count();
    RecordProperty("dials", static_cast<int>(dials));
    RecordProperty("ms_after_its_end", static_cast<int>(took));
    std::cout << dials << " dials, " << most_open << " open at most, over " << took << " ms after its end\n";
}

std::vector<outage_case> all_cases() {
    const std::vector<std::pair<outage, const char*>> kinds{
        {outage::refused, "NobodyListens"},
        {outage::tcp_alone, "TcpWithoutTls"},
        {outage::tls_alert, "TlsAlert"},
        {outage::goaway_at_once, "GoAwayAtOnce"},
        {outage::goaway_after_one, "GoAwayAfterTheFirstRequest"},
        {outage::goaway_and_silence, "GoAwayAfterTheFirstRequestWhichIsNeverAnswered"},
        {outage::cut_after_one, "CutAfterTheFirstRequest"},
        {outage::errors, "Every500"},
        {outage::errors_and_left_alone, "Every503WithRetryAfter"},
        {outage::silence, "AnswersNeverCome"},
        {outage::frozen, "NothingAtAllComes"},
        {outage::streams_refused, "EveryStreamRefused"},
        {outage::no_streams, "NoStreamAllowed"},
    };
    std::vector<outage_case> out;
    for (const auto& [kind, name] : kinds) {
        for (const bool under_way : {false, true}) {
            for (const bool many : {false, true}) {
                out.push_back({kind, name, under_way, many});
            }
        }
    }
    return out;
}

INSTANTIATE_TEST_SUITE_P(OfEveryKind, OutageTest, ::testing::ValuesIn(all_cases()), [](const auto& test) {
    return std::string(test.param.name) + (test.param.under_way ? "UnderWay" : "FromTheStart") +
           (test.param.many ? "AsFcm" : "AsApns");
});

}  // namespace
}  // namespace tocsin::http2
