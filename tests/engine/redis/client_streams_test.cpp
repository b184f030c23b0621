#include "engine/redis/check.hpp"
#include "engine/redis/streams.hpp"
#include "tests/engine/redis/client_fixture.hpp"
#include "tests/support/run_to_end.hpp"

namespace tocsin::redis {
namespace {

using testing::redis_server;

class RedisClientStreams : public redis_client_test {
protected:
    result<> make_group(client& with, const std::string& stream) {
        std::optional<result<>> outcome;
        boost::asio::co_spawn(
            loop, ensure_group(with, stream, "g"), [&](const std::exception_ptr& thrown, result<> got) {
                EXPECT_FALSE(thrown);
                outcome = got;
            });
        EXPECT_TRUE(run_until([&] { return outcome.has_value(); }));
        return *outcome;
    }

    const std::vector<std::string> streams{"s"};
    group_reader reader{"g", "me", 10, std::nullopt};
    redis_server server;
    std::unique_ptr<client> redis = connect(server.url());
};

TEST_F(RedisClientStreams, AGroupIsMadeOnceWithItsStream) {
    EXPECT_TRUE(make_group(*redis, "s").has_value());
    EXPECT_TRUE(make_group(*redis, "s").has_value());
    EXPECT_EQ(server.cli({"XLEN", "s"}), "0");
    EXPECT_EQ(text(*redis, command("SET", "not-a-stream", "x")), "OK");
    EXPECT_EQ(make_group(*redis, "not-a-stream").error(), redis_errc::damaged);
}

TEST_F(RedisClientStreams, AGroupSeesWhatWasThereBefore) {
    const std::string id = server.cli({"XADD", "s", "*", "event", "{}"});
    ASSERT_TRUE(make_group(*redis, "s").has_value());
    const auto got = checked(ask(*redis, read_group(reader, streams))).value();
    const auto batches = parse_batches(got.front()).value();
    ASSERT_EQ(batches.size(), 1U);
    EXPECT_EQ(batches[0].stream, "s");
    ASSERT_EQ(batches[0].entries.size(), 1U);
    EXPECT_EQ(batches[0].entries[0].id, id);
    EXPECT_EQ(batches[0].entries[0].field("event"), "{}");
}

TEST_F(RedisClientStreams, ABlockedReadWakesWhenAnEntryComes) {
    ASSERT_TRUE(make_group(*redis, "s").has_value());
    reader.block = std::chrono::seconds(60);
    const auto blocked = start(*redis, read_group(reader, streams));
    run_until_blocked(server);
    EXPECT_FALSE(blocked->answer.has_value());
    const std::string id = server.cli({"XADD", "s", "*", "event", "wake"});
    const auto got = wait(blocked).value();
    const auto batches = parse_batches(got.front()).value();
    ASSERT_EQ(batches.size(), 1U);
    EXPECT_EQ(batches[0].entries.at(0).id, id);
    EXPECT_EQ(batches[0].entries.at(0).field("event"), "wake");
}

TEST_F(RedisClientStreams, ABlockedReadMayTakeLongerThanAReply) {
    client_options options;
    options.reply_timeout = std::chrono::milliseconds(150);
    const auto brief = connect(server.url(), options);
    ASSERT_TRUE(make_group(*brief, "s").has_value());
    reader.block = std::chrono::milliseconds(600);
    const auto got = ask(*brief, read_group(reader, streams));
    ASSERT_TRUE(got.has_value()) << got.error().message();
    EXPECT_TRUE(parse_batches(got->front()).value().empty());
    EXPECT_EQ(brief->errors(), 0U);
}

TEST_F(RedisClientStreams, PendingEntriesThatWereTrimmedReadAsDeleted) {
    ASSERT_TRUE(make_group(*redis, "s").has_value());
    const std::string id = server.cli({"XADD", "s", "*", "event", "{}"});
    ASSERT_TRUE(ask(*redis, read_group(reader, streams)).has_value());
    server.cli({"XDEL", "s", id});
    const auto got = ask(*redis, read_group(reader, streams, "0")).value();
    const auto batches = parse_batches(got.front()).value();
    ASSERT_EQ(batches.at(0).entries.size(), 1U);
    EXPECT_EQ(batches[0].entries[0].id, id);
    EXPECT_TRUE(batches[0].entries[0].deleted);
}

TEST_F(RedisClientStreams, ClaimsWhatAnotherConsumerLeft) {
    ASSERT_TRUE(make_group(*redis, "s").has_value());
    const std::string kept = server.cli({"XADD", "s", "*", "event", "a"});
    const std::string gone = server.cli({"XADD", "s", "*", "event", "b"});
    ASSERT_TRUE(ask(*redis, read_group(reader, streams)).has_value());
    server.cli({"XDEL", "s", gone});
    reader.consumer = "heir";
    const auto got = checked(ask(*redis, claim_idle(reader, "s", std::chrono::milliseconds(0)))).value();
    const auto claimed = parse_claimed(got.front()).value();
    EXPECT_EQ(claimed.next, "0-0");
    ASSERT_EQ(claimed.entries.size(), 1U);
    EXPECT_EQ(claimed.entries[0].id, kept);
    EXPECT_EQ(claimed.deleted, std::vector<std::string>{gone});
}

TEST_F(RedisClientStreams, TellsWhetherAnEntryWillStillBeRead) {
    const auto prospect = [this](const std::string& entry) {
        return testing::run_to_end(loop, prospect_of(*redis, "stream", "group", entry)).value();
    };
    EXPECT_EQ(prospect("1-0"), entry_prospect::over) << "there is no stream";
    const std::string first = server.cli({"XADD", "stream", "*", "a", "1"});
    EXPECT_EQ(prospect(first), entry_prospect::outstanding) << "the group will begin with it";
    server.cli({"XGROUP", "CREATE", "stream", "group", "0"});
    EXPECT_EQ(prospect(first), entry_prospect::outstanding);
    server.cli({"XREADGROUP", "GROUP", "group", "me", "STREAMS", "stream", ">"});
    EXPECT_EQ(prospect(first), entry_prospect::outstanding) << "read, not acknowledged";
    server.cli({"XACK", "stream", "group", first});
    EXPECT_EQ(prospect(first), entry_prospect::over);
    EXPECT_EQ(prospect("no entry id"), entry_prospect::over);
    server.cli({"DEL", "stream"});
    server.cli({"SET", "stream", "x"});
    EXPECT_TRUE(testing::run_to_end(loop, prospect_of(*redis, "stream", "group", first)).has_error())
        << "nobody knows";
}

TEST_F(RedisClientStreams, ReadsARange) {
    const std::string id = server.cli({"XADD", "s", "7-1", "event", "{}"});
    const auto got = ask(*redis, command("XRANGE", "s", "-", "+")).value();
    const auto entries = parse_entries(got.front()).value();
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(parse_entry_id(entries[0].id), (entry_id{7, 1}));
}

}  // namespace
}  // namespace tocsin::redis
