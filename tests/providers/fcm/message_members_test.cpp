#include "providers/fcm/message_members.hpp"

#include "providers/fcm/renderer.hpp"
#include "tests/support/sample_event.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

namespace json = boost::json;
using testing::flood_event;

const renderer with("dijon");
const wall_time now = *parse_rfc3339("2026-11-23T06:00:00.500Z");

std::string camel(std::string_view name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        out += name[i] == '_' ? static_cast<char>(name[++i] - 'a' + 'A') : name[i];
    }
    return out;
}

/// A value that the form takes.
json::value fit_for(const member& one) {
    switch (one.what) {
        case holds::text: return "x";
        case holds::flag: return true;
        case holds::number: return 1;
        case holds::duration: return "3s";
        case holds::timestamp: return "2026-11-23T06:00:00Z";
        case holds::word: return json::value(one.detail.substr(0, one.detail.find(' ')));
        case holds::texts: return json::array{"x"};
        case holds::durations: return json::array{"1s"};
        case holds::text_map:
        case holds::anything:
        case holds::form: return json::object();
    }
    return nullptr;
}

/// A member where it stands in a message.
struct place {
    std::vector<std::string> above;
    const member* what;

    [[nodiscard]] std::string path() const {
        std::string out;
        for (const std::string& one : above) {
            out += one + '.';
        }
        return out + std::string(what->name);
    }
    /// The overrides that hold `inner` there.
    [[nodiscard]] json::object around(json::object inner) const {
        for (auto one = above.rbegin(); one != above.rend(); ++one) {
            inner = json::object{{*one, std::move(inner)}};
        }
        return inner;
    }
};

std::vector<place> places() {
    std::vector<place> out;
    const std::function<void(std::string_view, const std::vector<std::string>&)> walk =
        [&](std::string_view form, const std::vector<std::string>& above) {
            for (const member& one : message_members()) {
                if (one.of != form) {
                    continue;
                }
                out.push_back({above, &one});
                if (one.what == holds::form) {
                    auto deeper = above;
                    deeper.emplace_back(one.name);
                    walk(one.detail, deeper);
                }
            }
        };
    walk("Message", {});
    return out;
}

std::string answer(const json::object& overrides) {
    publish_event event = flood_event();
    event.overrides[platform::fcm] = overrides;
    const auto made = with.render(event, now);
    if (made.has_error()) {
        return made.error().code + ": " + made.error().message;
    }
    std::string out;
    for (const std::string_view part : (*made)->after_token(0, now)) {
        out += part;
    }
    return out;
}

TEST(FcmMessageMembers, AMemberInCamelCaseIsSentInTheSpellingOfTheDefaults) {
    std::size_t tried = 0;
    for (const place& one : places()) {
        const std::string other = camel(one.what->name);
        if (other == one.what->name) {
            continue;
        }
        ++tried;
        const std::string sent = answer(one.around({{other, fit_for(*one.what)}}));
        EXPECT_FALSE(sent.starts_with("invalid_override")) << one.path() << ": " << sent;
        EXPECT_EQ(sent.find('"' + other + '"'), std::string::npos) << one.path() << ": " << sent;
        const bool empty = one.what->what == holds::form;
        EXPECT_TRUE(empty || sent.find('"' + std::string(one.what->name) + '"') != std::string::npos)
            << one.path() << ": " << sent;
    }
    EXPECT_GT(tried, 30U);
}

TEST(FcmMessageMembers, AMemberInBothSpellingsIsRefusedWithItsPath) {
    for (const place& one : places()) {
        const std::string other = camel(one.what->name);
        if (other == one.what->name) {
            continue;
        }
        const json::value fit = fit_for(*one.what);
        const std::string said = answer(one.around({{std::string(one.what->name), fit}, {other, fit}}));
        EXPECT_TRUE(said.starts_with("invalid_override: fcm." + one.path() + " stands twice"))
            << one.path() << ": " << said;
    }
}

TEST(FcmMessageMembers, ANullInCamelCaseRemovesTheDefault) {
    const std::string sent =
        answer(json::parse(R"({"android":{"collapseKey":null,"notification":{"notificationCount":null}}})")
                   .as_object());
    EXPECT_EQ(sent.find("collapse_key"), std::string::npos) << sent;
    EXPECT_EQ(sent.find("notification_count"), std::string::npos) << sent;
}

TEST(FcmMessageMembers, KeysOfTheAppsOwnKeepTheirSpelling) {
    const std::string sent = answer(json::parse(R"({"data":{"collapseKey":"a","collapse_key":"b"},
                        "webpush":{"notification":{"requireInteraction":true}}})")
                                        .as_object());
    for (const std::string_view one :
         {"\"collapseKey\":\"a\"", "\"collapse_key\":\"b\"", "requireInteraction"}) {
        EXPECT_NE(sent.find(one), std::string::npos) << sent;
    }
}

}  // namespace
}  // namespace tocsin::fcm
