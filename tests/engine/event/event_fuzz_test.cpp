#include "engine/core/text.hpp"
#include "engine/event/event_parser.hpp"
#include "engine/event/event_writer.hpp"
#include "engine/event/registration.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/event/sample_events.hpp"
#include "tests/support/malformed_events.hpp"
#include "tests/support/refusals.hpp"

#include <algorithm>
#include <array>
#include <random>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using testing::sample_entry;
using testing::sample_now;

class mutator {
public:
    explicit mutator(std::uint32_t seed) : random_(seed) {}

    std::string mutate(std::string document, const std::vector<std::string>& others) {
        for (std::size_t i = 0, times = 1 + below(2); i < times; ++i) {
            once(document, others[below(others.size())]);
        }
        return document;
    }

    std::size_t below(std::size_t limit) {
        return limit == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
    }

private:
    void once(std::string& document, const std::string& other) {
        static constexpr auto pieces = std::to_array<std::string_view>(
            {"\"",
             "{",
             "}",
             "[",
             "]",
             ",",
             ":",
             "null",
             "-1",
             "1e999",
             "99999999999999999999",
             "\\u0000",
             "\xC3",
             "\xED\xA0\x80",
             "everyone",
             "commune:",
             "\"id\":\"x\",",
             "{\"a\":",
             "[[[[",
             "\n",
             "0",
             "true"});
        const std::size_t at = below(document.size() + 1);
        const std::size_t length = std::min(below(20), document.size() - at);
        switch (below(6)) {
            case 0: document.erase(at, length); break;
            case 1: document.insert(at, pieces[below(pieces.size())]); break;
            case 2:
                if (at < document.size()) {
                    document[at] = static_cast<char>(below(256));
                }
                break;
            case 3: document.insert(at, document.substr(at, length)); break;
            case 4: document.replace(at, length, pieces[below(pieces.size())]); break;
            default: {
                const std::size_t from = below(other.size() + 1);
                document.replace(at, length, other.substr(from, below(60)));
                break;
            }
        }
    }

    std::mt19937 random_;
};

void expect_known(const refusal& why, const std::string& document) {
    static const std::vector<refusal_row> all = testing::all_refusals();
    EXPECT_TRUE(std::ranges::find(all, why.code, &refusal_row::word) != all.end()) << why.code;
    EXPECT_FALSE(why.message.empty()) << document;
    EXPECT_LE(why.message.size(), 400U) << document;
    EXPECT_TRUE(is_utf8(why.message)) << document;
}

TEST(EventFuzz, EveryDocumentIsAnEventOrARefusal) {
    const std::vector<std::string> good = testing::sample_documents();
    std::vector<std::string> bad;
    for (auto& given : testing::malformed_events()) {
        if (given.document.size() < 2'000) {
            bad.push_back(std::move(given.document));
        }
    }
    mutator changes(1);
    std::size_t accepted = 0;
    for (int i = 0; i < 10'000; ++i) {
        const auto& seeds = changes.below(3) == 0 ? bad : good;
        const std::string document = changes.mutate(seeds[changes.below(seeds.size())], bad);
        const auto event = parse_event(known_platforms(), document, sample_entry, event_limits{}, sample_now);
        if (!event) {
            expect_known(event.error(), document);
            continue;
        }
        ++accepted;
        const auto again =
            parse_event(known_platforms(), to_json(*event), sample_entry, event_limits{}, sample_now);
        ASSERT_TRUE(again) << again.error().message << "\n" << document << "\n" << to_json(*event);
        EXPECT_EQ(*again, *event) << document;
    }
    // Mutations that all break a document, or none, would test nothing.
    EXPECT_GT(accepted, 200U);
    EXPECT_LT(accepted, 8'000U);
}

TEST(EventFuzz, EveryRegistrationIsADeviceOrARefusal) {
    const std::vector<std::string> seeds = testing::sample_registrations();
    mutator changes(2);
    std::size_t accepted = 0;
    for (int i = 0; i < 10'000; ++i) {
        const std::string document = changes.mutate(seeds[changes.below(seeds.size())], seeds);
        const auto device = parse_registration(known_platforms(), document, sample_now);
        if (!device) {
            expect_known(device.error(), document);
            continue;
        }
        ++accepted;
        const auto again =
            parse_registration(known_platforms(), to_json(known_platforms(), *device), sample_now);
        ASSERT_TRUE(again) << again.error().message << "\n" << document;
        EXPECT_EQ(*again, *device) << document;
    }
    EXPECT_GT(accepted, 200U);
    EXPECT_LT(accepted, 8'000U);
}

}  // namespace
}  // namespace tocsin
