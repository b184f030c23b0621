#include "engine/event/document_fields.hpp"
#include "engine/event/event_parser.hpp"
#include "engine/event/receipt.hpp"
#include "engine/event/registration.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/event/json_schema.hpp"
#include "tests/engine/event/sample_events.hpp"
#include "tests/support/malformed_events.hpp"
#include "tests/support/refusals.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <fstream>
#include <set>
#include <span>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::sample_entry;
using testing::sample_now;
using testing::schema_error;

std::string reference(const std::string& page) {
    std::ifstream in(TOCSIN_DOCS "/reference/" + page);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

json::value schema(const std::string& name) {
    return json::parse(reference(name + ".schema.json"));
}

/// What stands between ```json and ``` on a page.
std::vector<std::string> json_blocks(const std::string& page) {
    std::vector<std::string> out;
    const std::string open = "```json\n";
    for (std::size_t at = page.find(open); at != std::string::npos; at = page.find(open, at)) {
        at += open.size();
        const std::size_t end = page.find("```", at);
        out.push_back(page.substr(at, end - at));
        at = end + 3;
    }
    return out;
}

std::set<std::string> names_of(const json::value& object) {
    std::set<std::string> out;
    for (const auto& member : object.at("properties").as_object()) {
        out.emplace(member.key());
    }
    return out;
}

std::set<std::string> required_by(const json::value& object) {
    std::set<std::string> out;
    if (const auto* names = object.as_object().if_contains("required")) {
        for (const json::value& name : names->as_array()) {
            out.emplace(name.as_string());
        }
    }
    return out;
}

void expect_same_fields(const json::value& object, std::span<const field_rule> rules) {
    std::set<std::string> names;
    std::set<std::string> required;
    for (const field_rule& rule : rules) {
        names.emplace(rule.name);
        if (rule.required) {
            required.emplace(rule.name);
        }
    }
    EXPECT_EQ(names_of(object), names);
    EXPECT_EQ(required_by(object), required);
    EXPECT_EQ(object.at("additionalProperties"), json::value(false));
}

TEST(Schema, NamesExactlyTheFieldsThatTheReadersAccept) {
    const json::value event = schema("event");
    expect_same_fields(event, event_fields);
    expect_same_fields(event.at("properties").at("notification"), notification_fields);
    expect_same_fields(event.at("$defs").at("localized_text"), localized_fields);
    expect_same_fields(schema("registration"), registration_fields);
    expect_same_fields(schema("receipt"), receipt_fields);
}

TEST(Reference, EveryRefusalCodeIsDocumented) {
    const std::string pages =
        reference("events.md") + reference("registrations.md") + reference("receipts.md");
    for (const refusal_row& entry : testing::all_refusals()) {
        const std::string row = "| `" + std::string(entry.word) + "` | " + std::string(entry.meaning) + " |";
        EXPECT_NE(pages.find(row), std::string::npos) << row;
    }
}

TEST(Reference, ExamplesAreAccepted) {
    for (const std::string& document : json_blocks(reference("events.md"))) {
        const auto event = parse_event(known_platforms(), document, sample_entry, event_limits{}, sample_now);
        EXPECT_TRUE(event) << event.error().message;
    }
    const std::vector<std::string> devices = json_blocks(reference("registrations.md"));
    EXPECT_EQ(devices.size(), 2U);
    for (const std::string& document : devices) {
        const auto device = parse_registration(known_platforms(), document, sample_now);
        EXPECT_TRUE(device) << device.error().message;
    }
}

TEST(Schema, TypesAreThoseOfTheReaders) {
    const auto type_of = [](json_kind kind) -> json::value {
        switch (kind) {
            case json_kind::string: return "string";
            case json_kind::integer: return "integer";
            case json_kind::boolean: return "boolean";
            case json_kind::array: return "array";
            case json_kind::object: return "object";
            case json_kind::time: return {"string", "integer"};
            case json_kind::number_or_null: return {"number", "null"};
        }
        return nullptr;
    };
    const json::value event = schema("event");
    const json::value registration = schema("registration");
    const auto expect_types = [&](const json::value& object, std::span<const field_rule> rules) {
        for (const field_rule& rule : rules) {
            EXPECT_EQ(object.at("properties").at(rule.name).at("type"), type_of(rule.kind)) << rule.name;
        }
    };
    expect_types(event, event_fields);
    expect_types(event.at("properties").at("notification"), notification_fields);
    expect_types(event.at("$defs").at("localized_text"), localized_fields);
    expect_types(registration, registration_fields);
    expect_types(schema("receipt"), receipt_fields);
}

TEST(Schema, WhatIsReadIsValid) {
    const json::value event = schema("event");
    for (const std::string& document : testing::sample_documents()) {
        ASSERT_TRUE(parse_event(known_platforms(), document, sample_entry, event_limits{}, sample_now));
        EXPECT_EQ(schema_error(event, json::parse(document)), "") << document;
    }
    const json::value registration = schema("registration");
    for (const std::string& document : testing::sample_registrations()) {
        ASSERT_TRUE(parse_registration(known_platforms(), document, sample_now));
        EXPECT_EQ(schema_error(registration, json::parse(document)), "") << document;
    }
}

TEST(Schema, WhatIsRefusedForItsShapeIsInvalid) {
    const json::value event = schema("event");
    const std::set<std::string> shape{
        "unknown_field",    "wrong_type",         "missing_field",      "invalid_id",
        "empty_audience",   "too_many_selectors", "malformed_selector", "unknown_selector",
        "invalid_commune",  "invalid_epci",       "invalid_department", "invalid_zone",
        "invalid_platform", "invalid_apns_token", "invalid_fcm_token",  "invalid_app",
        "empty_apps",       "too_many_apps",      "invalid_category",   "invalid_priority",
        "invalid_badge",    "too_many_data",      "invalid_data_key",   "reserved_data_key",
        "invalid_locale",   "too_many_locales",   "invalid_ttl",        "ttl_and_expires_at",
        "invalid_mode",     "not_an_object",      "text_too_long"};
    std::size_t checked = 0;
    for (const testing::malformed_event& given : testing::malformed_events()) {
        if (!shape.contains(given.expected_code) || given.document.size() > 100'000) {
            continue;
        }
        ++checked;
        EXPECT_NE(schema_error(event, json::parse(given.document)), "") << given.name;
    }
    EXPECT_GT(checked, 150U);
}

TEST(Schema, RegistrationsOfTheWrongShapeAreInvalid) {
    const json::value registration = schema("registration");
    for (
        const char* document :
        {R"({"op":"register","app":"a","platform":"fcm","fid":"cXJ0b2tlbg0123456789_-"})",
         R"({"op":"register","app":"a","platform":"fcm","fid":"cXJ0b2tlbg0123456789_-","follow":[]})",
         R"({"op":"unregister","app":"a","platform":"fcm"})",
         R"({"op":"unregister","app":"a","platform":"fcm","token":"cXJ0b2tlbg:APA91bFab_-","fid":"cXJ0b2tlbg0123456789_-"})",
         R"({"op":"unregister","app":"a","platform":"hms","fid":"cXJ0b2tlbg0123456789_-"})",
         R"({"op":"unregister","app":"a","platform":"fcm","fid":"cXJ0b2tlbg0123456789_-","follow":["everyone"]})"}) {
        ASSERT_FALSE(parse_registration(known_platforms(), document, sample_now)) << document;
        EXPECT_NE(schema_error(registration, json::parse(document)), "") << document;
    }
}

TEST(Schema, OfAReceiptRefusesWhatTheReaderRefusesForItsShape) {
    const json::value shape = schema("receipt");
    const std::string good =
        R"({"event":"crue-1","app":"mairies","kind":"displayed","batch":"b-1","counts":{"21231":37,"2A004":2}})";
    ASSERT_TRUE(parse_receipt(good));
    EXPECT_EQ(schema_error(shape, json::parse(good)), "");
    for (const char* document :
         {R"({"event":"a b","app":"mairies","kind":"opened","batch":"b","counts":{"21231":37}})",
          R"({"event":"a","app":"","kind":"opened","batch":"b","counts":{"21231":37}})",
          R"({"event":"a","app":"mairies","kind":"read","batch":"b","counts":{"21231":37}})",
          R"({"event":"a","app":"mairies","kind":"opened","batch":"","counts":{"21231":37}})",
          R"({"event":"a","app":"mairies","kind":"opened","batch":"b","counts":{}})",
          R"({"event":"a","app":"mairies","kind":"opened","batch":"b","counts":{"Dijon":37}})",
          R"({"event":"a","app":"mairies","kind":"opened","batch":"b","counts":{"21231":0}})",
          R"({"event":"a","app":"mairies","kind":"opened","batch":"b","counts":{"21231":1000001}})",
          R"({"event":"a","app":"mairies","kind":"opened","batch":"b"})"}) {
        ASSERT_FALSE(parse_receipt(document)) << document;
        EXPECT_NE(schema_error(shape, json::parse(document)), "") << document;
    }
}

TEST(Schema, DescribesWhatTheEngineWrites) {
    const json::value result = schema("result");
    const json::value good =
        json::parse(R"({"event":"crue","state":"finished","targeted":10,"accepted":8,"dead":1,
        "rejected":0,"expired":0,"cancelled":0,"muted":1,"failed":0,"retries":0,"possible_duplicates":0,
        "accepted_at":1795413540000,"started_at":1795413540010,"finished_at":1795413541000,"p50_ms":20,"p90_ms":40,
        "p99_ms":null,"reasons":{"apns:Unregistered":1},"apps":{"mairies":{"apns":{"accepted":8,"dead":1}}},
        "communes":{"21231":{"accepted":8,"population":22,"reach":0.36},"2A004":{"accepted":0,"population":0,"reach":null}}})");
    EXPECT_EQ(schema_error(result, good), "");
    json::value other = good;
    other.as_object().erase("muted");
    EXPECT_NE(schema_error(result, other), "");
    other = good;
    other.at("state") = "running";
    EXPECT_NE(schema_error(result, other), "");

    const json::value feedback = schema("feedback");
    const json::value said =
        json::parse(R"({"app":"mairies","platform":"fcm","token":"cXJ0b2tlbg:APA91bFab_-",
        "reason":"UNREGISTERED","at":1795413540000,"event":"crue"})");
    EXPECT_EQ(schema_error(feedback, said), "");
    other = said;
    other.at("at") = "now";
    EXPECT_NE(schema_error(feedback, other), "");

    const json::value reach = schema("reach");
    const std::vector<std::string> documents = json_blocks(reference("receipts.md"));
    ASSERT_EQ(documents.size(), 1U);
    const json::value reached = json::parse(documents.front());
    EXPECT_EQ(schema_error(reach, reached), "");
    other = reached;
    other.at("communes").at("21231").as_object().erase("opened");
    EXPECT_NE(schema_error(reach, other), "");

    const json::value letter = schema("letter");
    const json::value sent_back = json::parse(R"({"stream":"tocsin:events","entry":"1795413539000-0",
        "reason":"invalid_json: not JSON","payload":"{"})");
    EXPECT_EQ(schema_error(letter, sent_back), "");
    other = sent_back;
    other.as_object().erase("payload");
    EXPECT_NE(schema_error(letter, other), "");
}

}  // namespace
}  // namespace tocsin
