#include "tools/cap/cap_register.hpp"

#include "tests/support/redis_fixture.hpp"
#include "tests/tools/cap/cap_samples.hpp"
#include "tools/cap/cap_event.hpp"

namespace tocsin {
namespace {

using testing::cap_sample;
using verdict = cap_admission::verdict;

constexpr const char* first = "prefecture@example.fr,FR-1,2026-11-23T06:00:00+01:00";

class CapRegisterTest : public testing::redis_fixture {
protected:
    static cap_message message(
        std::string identifier, std::string hour, std::string kind = "Alert", std::string references = "") {
        cap_sample sample;
        sample.identifier = std::move(identifier);
        sample.sent = "2026-11-23T" + hour + ":00:00+01:00";
        sample.kind = std::move(kind);
        sample.references = std::move(references);
        return read_cap(sample.text()).value();
    }
    cap_admission admit(const cap_message& given) { return run(book.admit(given)).value(); }
    void done(const cap_message& given) {
        cap_record record;
        record.events = {cap_event_id(given.name)};
        record.title = given.name.identifier;
        ASSERT_EQ(run(book.begin(given, record)).value(), cap_admission::verdict::fresh);
        ASSERT_TRUE(run(book.done(given)).has_value());
    }

    cap_register book{redis, keys};
};

TEST_F(CapRegisterTest, AMessageThatComesAgainChangesNothing) {
    const auto alert = message("FR-1", "06");
    EXPECT_EQ(admit(alert).what, verdict::fresh);
    EXPECT_EQ(admit(alert).what, verdict::fresh) << "an attempt that died before it had published";
    done(alert);
    EXPECT_EQ(admit(alert).what, verdict::repeated);
}

TEST_F(CapRegisterTest, AnUpdateFindsWhatItReplacesAlsoThroughAnother) {
    const auto alert = message("FR-1", "06");
    const std::string collapse = admit(alert).collapse_id;
    done(alert);
    const auto update = message("FR-2", "07", "Update", first);
    const cap_admission second = admit(update);
    EXPECT_EQ(second.what, verdict::fresh);
    EXPECT_EQ(second.collapse_id, collapse);
    ASSERT_EQ(second.replaced.size(), 1U);
    EXPECT_EQ(second.replaced[0].title, "FR-1");
    done(update);
    const auto third =
        admit(message("FR-3", "08", "Cancel", "prefecture@example.fr,FR-2,2026-11-23T07:00:00+01:00"));
    EXPECT_EQ(third.what, verdict::fresh);
    EXPECT_EQ(third.collapse_id, collapse);
}

TEST_F(CapRegisterTest, WhatIsReplacedWhileItIsOnItsWayIsFoundOrIsNotSent) {
    const auto alert = message("FR-1", "06");
    const auto slow = message("FR-2", "06");
    cap_record record;
    record.events = {cap_event_id(alert.name)};
    admit(alert);
    admit(slow);
    ASSERT_EQ(run(book.begin(alert, record)).value(), verdict::fresh);
    // One is written down, and not on the stream yet; the other not even that.
    const std::string both = std::string(first) + " prefecture@example.fr,FR-2,2026-11-23T06:00:00+01:00";
    const cap_admission found = admit(message("FR-3", "07", "Cancel", both));
    ASSERT_EQ(found.replaced.size(), 1U);
    EXPECT_EQ(found.replaced.front().events, record.events);
    EXPECT_EQ(run(book.begin(slow, record)).value(), verdict::late);
}

TEST_F(CapRegisterTest, WhatIsReplacedComesTooLate) {
    const auto update = message("FR-2", "07", "Update", first);
    EXPECT_EQ(admit(update).what, verdict::fresh);
    done(update);
    EXPECT_EQ(admit(message("FR-1", "06")).what, verdict::late);
}

TEST_F(CapRegisterTest, AnUpdateOlderThanTheNewestComesTooLate) {
    const auto alert = message("FR-1", "06");
    admit(alert);
    done(alert);
    const auto newest = message("FR-3", "08", "Update", first);
    EXPECT_EQ(admit(newest).what, verdict::fresh);
    done(newest);
    EXPECT_EQ(admit(message("FR-2", "07", "Update", first)).what, verdict::late);
    EXPECT_EQ(admit(message("FR-9", "07")).what, verdict::fresh) << "another chain";
}

}  // namespace
}  // namespace tocsin
