#pragma once

#include "engine/event/json_document.hpp"
#include "tests/support/sample_event.hpp"

#include <ostream>
#include <string>

#include <gtest/gtest.h>

// What the renderers of all platforms promise of an event's overrides.

namespace tocsin::testing {

struct bad_override_case {
    std::string name;
    std::string given;  ///< The platform's overrides.
    std::string says;   ///< Part of the refusal.
};

inline void PrintTo(const bad_override_case& one, std::ostream* out) {
    *out << one.name;
}

/// Numbers arrive as they were written, or are refused. `before` and `after`: an event's document around the
/// number; `sent` renders an event of that platform.
template <class Sent>
void expect_exact_numbers(platform on, const std::string& before, const std::string& after, Sent sent) {
    const auto read = [&](const std::string& number) {
        return parse_document(before + number + after, document_limits{});
    };
    for (const std::string number :
         {"0.1", "9007199254740993", "-9007199254740993", "18446744073709551615", "0.30000000000000004"}) {
        const auto given = read(number);
        ASSERT_TRUE(given) << number;
        publish_event event = flood_event();
        event.overrides[on] = given->at(to_string(on)).as_object();
        const std::string text = sent(event);
        EXPECT_NE(text.find("\"x\":" + number + "}"), std::string::npos) << text;
    }
    for (const std::string number :
         {"1e400", "9007199254740993.0", "18446744073709551616", "0.1000000000000000055"}) {
        const auto given = read(number);
        ASSERT_FALSE(given) << number;
        EXPECT_EQ(given.error().code, "invalid_json") << number;
    }
}

}  // namespace tocsin::testing
