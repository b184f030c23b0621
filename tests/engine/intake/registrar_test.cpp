#include "engine/intake/registrar.hpp"

#include "tests/support/mairies_fixture.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

/// Wants tokens that begin with "good".
class picky_settings final : public platform_settings {
public:
    [[nodiscard]] parsed<> check_destination(std::string_view token) const override {
        if (token.starts_with("good")) {
            return {};
        }
        return refusal{"service_not_allowed", "token: not there."};
    }
};

/// "mairies" is everywhere; "dijon" serves Dijon, and is choosy.
std::vector<served_app> apps() {
    served_app everywhere;
    everywhere.id = "mairies";
    everywhere.everywhere = true;
    everywhere.platforms.emplace(platform::fcm, nullptr);
    served_app dijon;
    dijon.id = "dijon";
    dijon.communes = {*parse_commune_id("21231")};
    dijon.platforms.emplace(platform::fcm, nullptr);
    dijon.settings.emplace(platform::fcm, std::make_shared<picky_settings>());
    return {everywhere, dijon};
}

std::vector<territory> follows(const std::vector<std::string>& codes) {
    std::vector<territory> out;
    for (const std::string& code : codes) {
        const std::size_t colon = code.find(':');
        out.push_back(
            {*parse_commune_id(code.substr(0, 5)), colon == std::string::npos ? "" : code.substr(colon + 1)});
    }
    std::ranges::sort(out);
    return out;
}

class AdmissionTest : public ::testing::Test {
protected:
    AdmissionTest() { known.set_apps(apps()); }

    testing::manual_time time;
    const territories places = testing::dijon_and_beaune();
    event_preparer known{places, known_platforms(), event_limits{}, time};
};

TEST_F(AdmissionTest, WhoWouldBeFoundByNothingIsRefusedAndWhoWouldBeFoundBySomeLosesTheRest) {
    struct row {
        std::string app;
        platform on;
        std::string token;
        std::vector<std::string> follow;
        std::string refused;   ///< A code; empty: admitted.
        std::string left_out;  ///< A code; empty: nothing.
        std::vector<std::string> still;
    };
    const std::vector<row> rows{
        {"mairies", platform::fcm, "x", {"21231", "21054"}, "", "", {"21231", "21054"}},
        {"mairies", platform::fcm, "x", {"21231:quai"}, "", "", {"21231:quai"}},
        {"nobody", platform::fcm, "x", {"21231"}, "unknown_app", "", {}},
        {"mairies", platform::apns, "x", {"21231"}, "platform_not_configured", "", {}},
        {"mairies", platform::fcm, "x", {"99123"}, "unknown_commune", "", {}},
        {"mairies", platform::fcm, "x", {"99123", "99124"}, "unknown_commune", "", {}},
        {"mairies", platform::fcm, "x", {"21231", "99123"}, "", "unknown_commune", {"21231"}},
        {"mairies", platform::fcm, "x", {"21231", "99123:quai", "99124"}, "", "unknown_commune", {"21231"}},
        {"dijon", platform::fcm, "good", {"21231"}, "", "", {"21231"}},
        {"dijon", platform::fcm, "good", {"21054"}, "commune_not_served", "", {}},
        {"dijon", platform::fcm, "good", {"21054", "21231"}, "", "commune_not_served", {"21231"}},
        {"dijon", platform::fcm, "bad", {"21231"}, "service_not_allowed", "", {}},
    };
    for (const row& each : rows) {
        registration what;
        what.app = each.app;
        what.platform = each.on;
        what.token = each.token;
        what.follow = follows(each.follow);
        const auto admitted = admit(what, known, dormant_territories::left_out);
        const std::string name = each.app + " " + each.token + " row " + std::to_string(&each - rows.data());
        if (!each.refused.empty()) {
            ASSERT_TRUE(admitted.has_error()) << name;
            EXPECT_EQ(admitted.error().code, each.refused) << name;
            continue;
        }
        ASSERT_TRUE(admitted.has_value()) << name << admitted.error().message;
        EXPECT_EQ(what.follow, follows(each.still)) << name;
        EXPECT_EQ(admitted->left_out ? admitted->left_out->code : "", each.left_out) << name;
        EXPECT_TRUE(admitted->dormant.empty()) << name;
    }
}

TEST_F(AdmissionTest, HowMuchWasLeftOutIsSaid) {
    registration what;
    what.app = "mairies";
    what.platform = platform::fcm;
    what.follow = follows({"21231", "21054", "99123", "99124", "99125"});
    const auto admitted = admit(what, known, dormant_territories::left_out);
    ASSERT_TRUE(admitted.has_value());
    const std::string& said = admitted->left_out.value().message;
    EXPECT_NE(said.find("99123"), std::string::npos) << said;
    EXPECT_NE(said.find("and 2 more of follow"), std::string::npos) << said;
    EXPECT_NE(said.find("for the other 2 territories that it follows"), std::string::npos) << said;
    what.follow = follows({"21231", "99123"});
    const std::string one = admit(what, known, dormant_territories::left_out)->left_out.value().message;
    EXPECT_NE(one.find("for the other territory that it follows"), std::string::npos) << one;
}

TEST_F(AdmissionTest, WhatIsReadBackIntoTheStoreKeepsWhatOnceExisted) {
    registration what;
    what.app = "dijon";
    what.platform = platform::fcm;
    what.token = "good";
    what.follow = follows({"21054", "21901"});
    const auto kept = admit(what, known, dormant_territories::kept);
    ASSERT_TRUE(kept.has_value());
    EXPECT_EQ(what.follow, follows({"21054", "21901"}));
    EXPECT_EQ(kept->dormant, what.follow) << "nobody is sent to for either";
    EXPECT_FALSE(kept->left_out);
    what.follow = follows({"21231", "99123"});
    const auto some = admit(what, known, dormant_territories::kept);
    ASSERT_TRUE(some.has_value());
    EXPECT_EQ(what.follow, follows({"21231"})) << "what never existed goes";
    EXPECT_TRUE(some->dormant.empty());
    what.follow = follows({"21901"});
    EXPECT_EQ(admit(what, known, dormant_territories::left_out).error().code, "unknown_commune");
}

TEST_F(AdmissionTest, WhoeverWantsToLeaveIsLetGoWhateverItFollowed) {
    registration what;
    what.op = registration_op::withdraw;
    what.app = "dijon";
    what.platform = platform::fcm;
    what.token = "bad";
    what.follow = follows({"99123"});
    EXPECT_TRUE(admit(what, known, dormant_territories::left_out).has_value());
    what.app = "nobody";
    EXPECT_EQ(admit(what, known, dormant_territories::left_out).error().code, "unknown_app");
}

TEST(ToChange, SaysOfADeviceWhatItsRegistrationSays) {
    registration what;
    what.app = "mairies";
    what.platform = platform::webpush;
    what.token = "https://push.example/1";
    what.keys = "keys";
    what.is_fid = true;
    what.follow = follows({"21231", "21054:centre"});
    what.mute = {"agenda"};
    what.locale = "fr";
    what.sandbox = true;
    what.registered_at = wall_time(std::chrono::milliseconds(1'795'000'000'999));
    const device_change put = to_change(what);
    EXPECT_EQ(put.what, device_change::action::put);
    EXPECT_EQ(put.app, "mairies");
    EXPECT_EQ(put.where, platform::webpush);
    EXPECT_EQ(put.which.token, what.token);
    EXPECT_EQ(put.which.keys, "keys");
    EXPECT_TRUE(put.which.is_fid);
    EXPECT_TRUE(put.which.sandbox);
    EXPECT_EQ(put.which.follow, what.follow);
    EXPECT_EQ(put.which.mute, what.mute);
    EXPECT_EQ(put.which.locale, "fr");
    EXPECT_EQ(put.which.registered_at, 1'795'000'000U) << "whole seconds";
    EXPECT_FALSE(put.only_if_entry) << "what an app says of its device counts, whatever was there";
    what.op = registration_op::withdraw;
    EXPECT_EQ(to_change(what).what, device_change::action::remove);
}

class RegistrarTest : public testing::mairies_fixture {
protected:
    RegistrarTest() { preparer.set_apps(apps()); }

    std::string publish(const std::string& field, const std::string& document) {
        return mairies_fixture::publish(keys.registrations(), field, document);
    }
    /// As long as a token must be.
    static std::string token_of(const std::string& name) { return name + std::string(20, '_'); }
    static std::string enroll(const std::string& name, const std::string& follow = "commune:21231") {
        return R"({"op":"register","app":"mairies","platform":"fcm","token":")" + token_of(name) +
               R"(","follow":[")" + follow + R"("]})";
    }
    static std::string withdraw(const std::string& name) {
        return R"({"op":"unregister","app":"mairies","platform":"fcm","token":")" + token_of(name) + R"("})";
    }
    result<> try_to_read() {
        auto batch = run(consumer.next(1ms));
        return batch.has_error() ? result<>(batch.error()) : run(devices.handle(batch->entries));
    }
    void read() {
        const auto handled = try_to_read();
        ASSERT_TRUE(handled.has_value()) << handled.error().message();
        EXPECT_EQ(server.cli({"XPENDING", keys.registrations(), "tocsin"}).substr(0, 1), "0")
            << "all are acknowledged";
    }
    std::string reason(std::size_t letter) { return refused().at(letter).second; }
    std::uint64_t registered() { return run(store.count("mairies", platform::fcm)).value(); }
    read_permission ask(registrar& who) { return run(who.ask_to_read()).value(); }
    void leave(registrar& who) {
        const auto leaving = [&]() -> boost::asio::awaitable<bool> {
            co_await who.leave();
            co_return true;
        };
        run(leaving());
    }

    control_board board{redis, keys};
    registrar devices{redis, store, posted, board, preparer, "one", clock, log, shard};
    registrar others{redis, store, posted, board, preparer, "two", clock, log, shard};
    stream_consumer consumer{
        redis,
        {.stream = keys.registrations(), .group = std::string(keyspace::group), .consumer = "one"},
        time};
};

TEST_F(RegistrarTest, ABatchIsTakenInItsOrderAndWhatIsWrongGetsALetter) {
    publish("registration", enroll("a"));
    publish("registration", "{");
    publish("registration", enroll("b"));
    publish("registered", enroll("c"));
    publish("registration", withdraw("a"));
    publish("registration", enroll("d", "commune:99123"));
    publish("registration", enroll("e"));
    publish("registration", withdraw("e"));
    publish("registration", enroll("e"));
    read();
    EXPECT_EQ(registered(), 2U) << "b, and e as it was said last";
    ASSERT_EQ(letters().size(), 3U);
    EXPECT_EQ(reason(0), "invalid_json");
    EXPECT_EQ(reason(1), "missing_entry_field");
    EXPECT_EQ(reason(2), "unknown_commune");
    EXPECT_EQ(letters()[2].at("payload").as_string(), enroll("d", "commune:99123"));
}

TEST_F(RegistrarTest, WhatIsTakenInPartIsRegisteredAndGetsALetter) {
    publish("registration", enroll("a", R"(commune:99123","commune:21231)"));
    read();
    EXPECT_EQ(registered(), 1U);
    ASSERT_EQ(letters().size(), 1U);
    EXPECT_EQ(reason(0), "unknown_commune");
}

TEST_F(RegistrarTest, WhoeverIsTakenOutIsToldToAllEngines) {
    publish("registration", enroll("a"));
    read();
    const std::string before = server.cli({"XLEN", keys.control_changes()});
    publish("registration", withdraw("a"));
    publish("registration", withdraw("stranger"));
    read();
    EXPECT_EQ(registered(), 0U);
    EXPECT_NE(server.cli({"XLEN", keys.control_changes()}), before);
}

TEST_F(RegistrarTest, AnEntryThatWasTrimmedBeforeItWasHandledIsAcknowledged) {
    const std::string entry = publish("registration", enroll("a"));
    ASSERT_TRUE(run(consumer.next(1ms)).has_value());
    server.cli({"XDEL", keys.registrations(), entry});
    consumer.start_over();
    read();
    EXPECT_EQ(registered(), 0U);
    EXPECT_TRUE(letters().empty());
}

TEST_F(RegistrarTest, WhatRedisHoldsThatIsNotOursIsItsOwnMatterAlone) {
    publish("registration", enroll("a"));
    read();
    server.cli({"HSET", keys.rosters("dijon"), "index", "x"});
    publish("registration", enroll("b"));
    publish(
        "registration",
        R"({"op":"register","app":"dijon","platform":"fcm","token":"good________________","follow":["commune:21231"]})");
    read();
    EXPECT_EQ(registered(), 2U);
    ASSERT_EQ(letters().size(), 1U);
    EXPECT_EQ(reason(0), "damaged_record");
}

TEST_F(RegistrarTest, WhoeverIsTakenOutIsGoneAlsoWhereAnotherProgramHasWrittenBesideIt) {
    publish("registration", enroll("a"));
    read();
    server.cli({"SET", keys.held_devices("mairies", platform::fcm), "x"});
    publish("registration", withdraw("a"));
    read();
    EXPECT_EQ(registered(), 0U);
    EXPECT_TRUE(letters().empty());
}

TEST_F(RegistrarTest, OneEngineReadsAtATimeAndTheNextWhenItLetsGo) {
    EXPECT_EQ(ask(devices), read_permission::granted);
    EXPECT_EQ(ask(others), read_permission::denied);
    EXPECT_EQ(ask(devices), read_permission::granted);
    leave(others);
    EXPECT_EQ(ask(others), read_permission::denied) << "it was not its lease to give back";
    leave(devices);
    EXPECT_EQ(ask(others), read_permission::granted);
    EXPECT_EQ(ask(devices), read_permission::denied);
    const std::string left = server.cli({"PTTL", keys.registrar()});
    EXPECT_GT(std::stol(left), 0) << "who falls silent loses it";
    EXPECT_LE(std::stol(left), 10'000);
}

}  // namespace
}  // namespace tocsin
