#include "tests/tools/simulator/simulator_fixture.hpp"

#include <cstdint>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace tocsin::sim::testing {
namespace {

/// With a client certificate, so that the stream limit is 1000 from the start.
class FaultTest : public SimulatorTest {
protected:
    h2_client certified_client() const {
        return {
            running->ports().apns, running->ca_file(),
            tls_client::identity{file("mairies-client.pem"), file("mairies-client-key.pem")}};
    }
    header_list headers(unsigned device) const {
        return apns_headers(apns_device(device), {{"authorization", ""}});
    }
    /// Starts a request for each of the devices, and waits until the simulator has them all.
    std::vector<std::int32_t> start_requests(h2_client& client, unsigned count) {
        client.run_until([&] { return client.stream_limit().has_value(); });
        std::vector<std::int32_t> streams;
        for (unsigned i = 0; i < count; ++i) {
            streams.push_back(client.submit(headers(i), apns_body));
        }
        // Streams are processed in order: once the last is answered, the others have been seen.
        change(
            R"({"apns": {"answers": [{"token": ")" + apns_device(9999) +
            R"(", "repeat": true, "then": [{"delay_ms": 0}]}]}})");
        const auto last = client.submit(headers(9999), apns_body);
        EXPECT_TRUE(client.run_until([&] { return client.answer(last).closed; }));
        return streams;
    }
    unsigned answered(h2_client& client, const std::vector<std::int32_t>& streams) {
        unsigned count = 0;
        for (const auto stream : streams) {
            count += client.answer(stream).status == 200 ? 1 : 0;
        }
        return count;
    }
};

TEST_F(FaultTest, LatencyDecidesTheOrderOfAnswers) {
    change(fmt::format(
        R"({{"apns": {{"latency": {{"fixed_ms": 60}}, "answers": [
            {{"token": "{}", "then": [{{"delay_ms": 120}}]}}, {{"token": "{}", "then": [{{"delay_ms": 0}}]}}]}}}})",
        apns_device(1), apns_device(3)));
    h2_client client = certified_client();
    const auto slow = client.submit(headers(1), apns_body);
    const auto usual = client.submit(headers(2), apns_body);
    const auto quick = client.submit(headers(3), apns_body);
    ASSERT_TRUE(client.run_until([&] {
        return client.answer(slow).closed && client.answer(usual).closed && client.answer(quick).closed;
    }));
    EXPECT_EQ(client.answer(quick).order, 1U);
    EXPECT_EQ(client.answer(usual).order, 2U);
    EXPECT_EQ(client.answer(slow).order, 3U);
}

TEST_F(FaultTest, AScriptedTokenGetsItsAnswersInTurn) {
    change(fmt::format(
        R"({{"apns": {{"answers": [{{"token": "{}", "then": [
            {{"reason": "InternalServerError"}}, {{"reason": "TooManyRequests", "retry_after": 7}}]}}]}}}})",
        apns_device(1)));
    h2_client client = certified_client();
    EXPECT_EQ(client.ask(headers(1), apns_body).status, 500);
    const auto second = client.ask(headers(1), apns_body);
    EXPECT_EQ(second.status, 429);
    EXPECT_EQ(second.headers.at("retry-after"), "7");
    EXPECT_EQ(client.ask(headers(1), apns_body).status, 200);
    EXPECT_EQ(client.ask(headers(2), apns_body).status, 200);
    EXPECT_EQ(running->counts(provider::apns, apns_device(1)), (token_counts{3, 1}));
}

TEST_F(FaultTest, AGracefulGoawayComesTwiceAndLetsAnswersOut) {
    change(R"({"apns": {"latency": {"fixed_ms": 150}}})");
    h2_client client = certified_client();
    const auto streams = start_requests(client, 4);
    change(R"({"now": [{"action": "goaway_graceful", "provider": "apns"}]})");
    EXPECT_FALSE(client.run_until([] { return false; }));
    ASSERT_EQ(client.goaways().size(), 2U);
    EXPECT_EQ(client.goaways()[0].last, 0x7FFFFFFF);
    EXPECT_EQ(client.goaways()[1].last, 9);
    EXPECT_EQ(client.goaways()[1].code, 0U);
    EXPECT_EQ(client.goaways()[1].debug, R"({"reason":"Shutdown"})");
    EXPECT_EQ(answered(client, streams), 4U);
}

TEST_F(FaultTest, StreamsAboveTheLastIdWereTrulyNotProcessed) {
    change(R"({"apns": {"latency": {"fixed_ms": 300}}})");
    h2_client client = certified_client();
    const auto streams = start_requests(client, 10);
    change(R"({"now": [{"action": "goaway_middle", "provider": "apns", "debug": "half"}]})");
    client.run_until([] { return false; });
    ASSERT_EQ(client.goaways().size(), 1U);
    const auto last = client.goaways()[0].last;
    EXPECT_GT(last, streams.front());
    EXPECT_LT(last, streams.back());
    for (unsigned i = 0; i < 10; ++i) {
        const bool processed = streams[i] <= last;
        EXPECT_EQ(client.answer(streams[i]).status, processed ? 200 : 0) << i;
        EXPECT_EQ(running->counts(provider::apns, apns_device(i)).accepted, processed ? 1U : 0U) << i;
    }
    EXPECT_EQ(stats("apns").at("accepted"), answered(client, streams) + 1);
    EXPECT_EQ(stats("apns").at("taken_back"), 10 - answered(client, streams));
}

TEST_F(FaultTest, GoawayZeroTakesEverythingBack) {
    change(R"({"apns": {"latency": {"fixed_ms": 300}}})");
    h2_client client = certified_client();
    const auto streams = start_requests(client, 5);
    change(R"({"now": [{"action": "goaway_zero"}]})");
    client.run_until([] { return false; });
    ASSERT_EQ(client.goaways().size(), 1U);
    EXPECT_EQ(client.goaways()[0].last, 0);
    EXPECT_EQ(answered(client, streams), 0U);
    EXPECT_EQ(stats("apns").at("accepted"), 1);
}

TEST_F(FaultTest, RefusedStreamsAreNotCounted) {
    change(R"({"apns": {"faults": {"refuse_share": 1}}})");
    h2_client client = certified_client();
    EXPECT_EQ(client.ask(headers(1), apns_body).error, 7U);
    EXPECT_EQ(running->counts(provider::apns, apns_device(1)), token_counts{});
    EXPECT_EQ(stats("apns").at("refused_streams"), 1);
}

TEST_F(FaultTest, AResetStreamWasProcessed) {
    change(R"({"apns": {"faults": {"reset_share": 1, "reset_code": 8}}})");
    h2_client client = certified_client();
    const auto answer = client.ask(headers(1), apns_body);
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.error, 8U);
    EXPECT_EQ(running->counts(provider::apns, apns_device(1)), (token_counts{1, 1}));
}

TEST_F(FaultTest, SilenceAnswersNothingAndHoldsNothingElseUp) {
    change(fmt::format(
        R"({{"apns": {{"answers": [{{"token": "{}", "then": [{{"fate": "silence"}}]}}]}}}})",
        apns_device(1)));
    h2_client client = certified_client();
    const auto silent = client.submit(headers(1), apns_body);
    EXPECT_EQ(client.ask(headers(2), apns_body).status, 200);
    EXPECT_FALSE(client.answer(silent).closed);
    EXPECT_EQ(stats("apns").at("silenced"), 1);
}

TEST_F(FaultTest, AConnectionCanBeCut) {
    h2_client client = certified_client();
    EXPECT_EQ(client.ask(headers(1), apns_body).status, 200);
    change(R"({"now": [{"action": "close", "provider": "apns"}]})");
    EXPECT_FALSE(client.run_until([] { return false; }));
    EXPECT_TRUE(client.goaways().empty());
}

TEST_F(FaultTest, AConnectionCanBeCutAfterSomeRequests) {
    change(R"({"apns": {"faults": {"close_after_requests": 3}}})");
    h2_client client = certified_client();
    EXPECT_EQ(client.ask(headers(1), apns_body).status, 200);
    EXPECT_EQ(client.ask(headers(2), apns_body).status, 200);
    EXPECT_EQ(client.ask(headers(3), apns_body).status, 0);
    EXPECT_EQ(running->counts(provider::apns, apns_device(3)).accepted, 1U);
    EXPECT_EQ(certified_client().ask(headers(4), apns_body).status, 200);
}

TEST_F(FaultTest, AConnectionCanDrainAfterSomeRequests) {
    change(R"({"apns": {"faults": {"goaway_after_requests": 2}}})");
    h2_client client = certified_client();
    EXPECT_EQ(client.ask(headers(1), apns_body).status, 200);
    EXPECT_EQ(client.ask(headers(2), apns_body).status, 200);
    client.run_until([] { return false; });
    ASSERT_EQ(client.goaways().size(), 1U);
    EXPECT_EQ(client.goaways()[0].last, 3);
}

TEST_F(FaultTest, ErrorBodiesCanBeMissingSplitOrNotJson) {
    change(R"({"apns": {"errors": [{"reason": "ServiceUnavailable", "share": 1}],
                        "faults": {"error_bodies": "missing"}}})");
    h2_client client = certified_client();
    const auto missing = client.ask(headers(1), apns_body);
    EXPECT_EQ(missing.status, 503);
    EXPECT_EQ(missing.data_frames, 0U);
    change(R"({"apns": {"faults": {"error_bodies": "split"}}})");
    const auto split = client.ask(headers(1), apns_body);
    EXPECT_EQ(split.body, R"({"reason":"ServiceUnavailable"})");
    EXPECT_GT(split.data_frames, 3U);
    change(R"({"apns": {"faults": {"error_bodies": "html"}}})");
    EXPECT_EQ(client.ask(headers(1), apns_body).headers.at("content-type"), "text/html");
}

TEST_F(FaultTest, SettingsChangeOnOpenConnections) {
    h2_client client = certified_client();
    ASSERT_TRUE(client.run_until([&] { return client.stream_limit() == 1000U; }));
    change(R"({"now": [{"action": "settings", "max_concurrent_streams": 3, "initial_window_size": 100,
                        "header_table_size": 0}]})");
    ASSERT_TRUE(client.run_until([&] {
        return client.stream_limit() == 3U &&
               client.remote_setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE) == 100U &&
               client.remote_setting(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE) == 0U;
    }));
    // The body is longer than the window of a stream: it needs more while it is being sent.
    EXPECT_EQ(client.ask(headers(1), R"({"a":")" + std::string(900, 'x') + "\"}").status, 200);
}

TEST_F(FaultTest, StalledWindowsStopAClientUntilTheyAreGivenBack) {
    change(R"({"apns": {"faults": {"stall_windows": true}}})");
    h2_client client = certified_client();
    const std::string body = R"({"a":")" + std::string(4000, 'x') + "\"}";
    for (unsigned i = 0; i < 16; ++i) {
        EXPECT_EQ(client.ask(headers(i), body).status, 200);
    }
    EXPECT_LT(client.connection_window(), 4000);
    const auto stuck = client.submit(headers(99), body);
    client.send();
    change(R"({"apns": {"faults": {"stall_windows": false}}})");
    ASSERT_TRUE(client.run_until([&] { return client.answer(stuck).closed; }));
    EXPECT_EQ(client.answer(stuck).status, 200);
}

TEST_F(FaultTest, SettingsGoBackAfterTheirTime) {
    h2_client client = certified_client();
    ASSERT_TRUE(client.run_until([&] { return client.stream_limit() == 1000U; }));
    change(R"({"now": [{"action": "settings", "max_concurrent_streams": 3, "initial_window_size": 100,
                        "header_table_size": 0, "for_ms": 50}]})");
    ASSERT_TRUE(client.run_until([&] { return client.stream_limit() == 3U; }));
    ASSERT_TRUE(client.run_until([&] {
        return client.stream_limit() == 1000U &&
               client.remote_setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE) == 65'535U &&
               client.remote_setting(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE) == 4096U;
    }));
    EXPECT_EQ(client.ask(headers(1), apns_body).status, 200);
}

TEST_F(FaultTest, AStallEndsByItself) {
    h2_client client = certified_client();
    EXPECT_EQ(client.ask(headers(1), apns_body).status, 200);
    change(R"({"now": [{"action": "stall_windows", "for_ms": 200}]})");
    const std::string body = R"({"a":")" + std::string(4000, 'x') + "\"}";
    std::vector<std::int32_t> streams;
    for (unsigned i = 0; i < 40; ++i) {  // Twice and a half what the connection's window holds.
        streams.push_back(client.submit(headers(i), body));
    }
    ASSERT_TRUE(client.run_until([&] { return client.answer(streams.back()).closed; }));
    EXPECT_EQ(answered(client, streams), 40U);
}

TEST_F(FaultTest, AFrozenConnectionSaysNothingAndIsCutInTheEnd) {
    h2_client client = certified_client();
    EXPECT_EQ(client.ask(headers(1), apns_body).status, 200);
    change(R"({"now": [{"action": "freeze", "for_ms": 100}]})");
    const auto lost = client.submit(headers(2), apns_body);
    client.ping();
    EXPECT_FALSE(client.run_until([&] { return client.answer(lost).closed; }));
    EXPECT_TRUE(client.goaways().empty());
    EXPECT_EQ(running->counts(provider::apns, apns_device(2)), token_counts{});
    EXPECT_EQ(certified_client().ask(headers(2), apns_body).status, 200);
}

TEST_F(FaultTest, AShareOfTheConnectionsIsHit) {
    h2_client client = certified_client();
    EXPECT_EQ(client.ask(headers(1), apns_body).status, 200);
    change(R"({"now": [{"action": "close", "share": 0}]})");
    EXPECT_EQ(client.ask(headers(2), apns_body).status, 200);
    change(R"({"now": [{"action": "close", "share": 1}]})");
    EXPECT_FALSE(client.run_until([] { return false; }));
}

TEST_F(FaultTest, ASlowHandshakeIsOnlySlow) {
    change(R"({"apns": {"faults": {"slow_tls_share": 1, "slow_tls_ms": 150}}})");
    const auto begun = clock::now();
    h2_client client = certified_client();
    EXPECT_EQ(client.ask(headers(1), apns_body).status, 200);
    EXPECT_GE(clock::now() - begun, std::chrono::milliseconds(150));
}

TEST_F(FaultTest, ResetsHaveOneOfTheCodesGiven) {
    change(R"({"apns": {"faults": {"reset_share": 1, "reset_code": [2, 8, 11]}}})");
    h2_client client = certified_client();
    std::set<std::uint32_t> codes;
    for (unsigned i = 0; i < 40; ++i) {
        codes.insert(client.ask(headers(i), apns_body).error);
    }
    EXPECT_EQ(codes, (std::set<std::uint32_t>{2, 8, 11}));
}

TEST_F(FaultTest, BodiesOfServerErrorsAreMixed) {
    change(R"({"apns": {"errors": [{"reason": "ServiceUnavailable", "share": 1}],
                        "faults": {"error_bodies": {"missing": 0.25, "split": 0.25, "html": 0.25}}}})");
    h2_client client = certified_client();
    std::set<std::string> seen;
    for (unsigned i = 0; i < 60; ++i) {
        const auto answer = client.ask(headers(i), apns_body);
        seen.insert(
            answer.data_frames == 0                            ? "missing"
            : answer.data_frames > 1                           ? "split"
            : answer.headers.at("content-type") == "text/html" ? "html"
                                                               : "json");
    }
    EXPECT_EQ(seen, (std::set<std::string>{"missing", "split", "html", "json"}));
    change(R"({"apns": {"errors": [{"reason": "TooManyRequests", "share": 1}],
                        "faults": {"error_bodies": {"missing": 1}}}})");
    EXPECT_EQ(client.ask(headers(1), apns_body).body, R"({"reason":"TooManyRequests"})");
}

TEST_F(FaultTest, ARejectionCanDropTheStreamLimitToOne) {
    change(R"({"apns": {"limit_drops_on_rejection": true}})");
    h2_client client = certified_client();
    ASSERT_TRUE(client.run_until([&] { return client.stream_limit() == 1000U; }));
    EXPECT_EQ(client.ask(headers(1), "").status, 400);
    ASSERT_TRUE(client.run_until([&] { return client.stream_limit() == 1U; }));
    EXPECT_EQ(client.ask(headers(1), apns_body).status, 200);
    ASSERT_TRUE(client.run_until([&] { return client.stream_limit() == 1000U; }));
}

TEST_F(FaultTest, EveryAnswerPatternAnswersEverything) {
    for (const auto pattern : {answer_pattern::one_record_per_answer, answer_pattern::one_write_per_answer}) {
        stop();
        options.pattern = pattern;
        options.threads = 2;
        start(options);
        h2_client client = certified_client();
        client.run_until([&] { return client.stream_limit().has_value(); });
        std::vector<std::int32_t> streams;
        for (unsigned i = 0; i < 500; ++i) {
            streams.push_back(client.submit(headers(i), apns_body));
        }
        client.run_until([&] { return client.answer(streams.back()).closed; });
        EXPECT_EQ(answered(client, streams), 500U);
    }
}

class ScriptTest : public FaultTest {
protected:
    void SetUp() override {
        options.script_file = file("script.json");
        options.directory = directory.path() / "simulator";
    }
    void write_script(std::string_view text) { std::ofstream(options.script_file) << text; }
};

TEST_F(ScriptTest, StepsHappenByThemselves) {
    write_script(R"([{"after_ms": 1, "apns": {"dead_share": 1}}, {"after_ms": 0, "seed": 5}])");
    start(options);
    const auto deadline = clock::now() + std::chrono::seconds(5);
    while (running->current_behaviour().of(provider::apns).dead_share < 1 && clock::now() < deadline) {
        std::this_thread::yield();
    }
    EXPECT_DOUBLE_EQ(running->current_behaviour().of(provider::apns).dead_share, 1);
    EXPECT_EQ(running->current_behaviour().seed, 5U);
}

TEST_F(ScriptTest, AMistakeIsFoundAtTheStart) {
    write_script(R"([{"after_ms": 0}, {"after_ms": 60000, "apns": {"dead_shar": 1}}])");
    const auto started = simulator::start(options);
    ASSERT_FALSE(started.has_value());
    EXPECT_NE(started.error().message.find("step 1: apns.dead_shar is not a known member"), std::string::npos)
        << started.error().message;
}

}  // namespace
}  // namespace tocsin::sim::testing
