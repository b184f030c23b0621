#include "engine/ops/config_keys.hpp"

#include "engine/ops/config_row.hpp"

#include <chrono>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const config_key& key_of(std::string_view section, std::string_view name) {
    for (const config_key& one : engine_config_keys()) {
        if (one.section == section && one.name == name) {
            return one;
        }
    }
    throw std::out_of_range("no such key");
}

TEST(ConfigKeys, ADurationIsANumberAndAUnit) {
    using row = std::pair<std::string, std::optional<milliseconds>>;
    for (const auto& [text, value] : std::vector<row>{
             {"0", 0ms},
             {"25", 25s},
             {"25s", 25s},
             {"500ms", 500ms},
             {"30m", 30min},
             {"4h", 4h},
             {"7d", 168h},
             {"9223372036854775807ms", milliseconds::max()},
             {"9223372036854775s", milliseconds(9'223'372'036'854'775'000)},
             {"9223372036854776s", std::nullopt},
             {"9223372036854775808ms", std::nullopt},
             {"99999999999999999999", std::nullopt},
             {"", std::nullopt},
             {"s", std::nullopt},
             {"-1s", std::nullopt},
             {"1.5s", std::nullopt},
             {" 1s", std::nullopt},
             {"1 s", std::nullopt},
             {"1S", std::nullopt},
             {"1w", std::nullopt},
             {"1s ", std::nullopt}}) {
        EXPECT_EQ(parse_duration(text), value) << text;
    }
}

TEST(ConfigKeys, AValueIsWrittenAsTheFileHasIt) {
    using row = std::pair<config_value, std::string>;
    for (const auto& [value, text] : std::vector<row>{
             {std::string("a\"b\\c"), R"("a\"b\\c")"},
             {std::uint64_t{16}, "16"},
             {milliseconds(0), "\"0s\""},
             {milliseconds(25'000), "\"25s\""},
             {milliseconds(1'500), "\"1500ms\""},
             {milliseconds(90'000), "\"90s\""},
             {milliseconds(3'600'000), "\"1h\""},
             {milliseconds(90'000'000), "\"25h\""},
             {milliseconds(172'800'000), "\"2d\""},
             {std::vector<std::string>(), "[]"},
             {std::vector<std::string>{"a", "b"}, R"(["a", "b"])"}}) {
        EXPECT_EQ(to_toml(value), text);
    }
}

TEST(ConfigKeys, NumbersAndDurationsKeepToTheirRange) {
    const config_key& threads = key_of("engine", "threads");
    const config_key& lease = key_of("engine", "lease");
    EXPECT_FALSE(check_config_value(threads, std::uint64_t{0}).has_error());
    EXPECT_FALSE(check_config_value(threads, std::uint64_t{1024}).has_error());
    EXPECT_EQ(check_config_value(threads, std::uint64_t{1025}).error().message, "must be from 0 to 1024");
    EXPECT_FALSE(check_config_value(lease, milliseconds(1'000)).has_error());
    EXPECT_FALSE(check_config_value(lease, milliseconds(3'600'000)).has_error());
    EXPECT_EQ(check_config_value(lease, milliseconds(999)).error().message, "must be from 1s to 1h");
    EXPECT_TRUE(check_config_value(lease, milliseconds(3'600'001)).has_error());
    const config_key& results = key_of("engine", "results_max_length");
    EXPECT_EQ(check_config_value(results, std::uint64_t{0}).error().message, "must be at least 1");
}

TEST(ConfigKeys, AChoiceIsOneOfAFew) {
    const config_key& level = key_of("log", "level");
    for (const std::string_view good : level.choices) {
        EXPECT_FALSE(check_config_value(level, std::string(good)).has_error()) << good;
    }
    for (const std::string bad : {"", "Debug", "loud", "debug "}) {
        EXPECT_EQ(
            check_config_value(level, bad).error().message,
            "must be \"debug\", \"info\", \"warning\" or \"error\", not \"" + bad + "\"");
    }
    EXPECT_FALSE(check_config_value(key_of("redis", "prefix"), std::string("anything")).has_error());
}

TEST(ConfigKeys, ATextOfAFlagIsReadAsTheKindOfItsKey) {
    const auto read = [](std::string_view section, std::string_view name, std::string_view text) {
        return parse_config_value(key_of(section, name), text);
    };
    EXPECT_EQ(std::get<std::string>(*read("redis", "prefix", "12")), "12");
    EXPECT_EQ(std::get<std::string>(*read("redis", "ca_file", "a.pem")), "a.pem");
    EXPECT_EQ(std::get<std::uint64_t>(*read("engine", "threads", "12")), 12U);
    EXPECT_EQ(std::get<milliseconds>(*read("engine", "lease", "2m")), 2min);
    using texts = std::vector<std::string>;
    EXPECT_EQ(std::get<texts>(*read("admin", "hosts", "")), texts());
    EXPECT_EQ(std::get<texts>(*read("admin", "hosts", "a,b")), (texts{"a", "b"}));
    EXPECT_EQ(std::get<texts>(*read("admin", "hosts", "a,,b")), (texts{"a", "", "b"}));
    for (const std::string_view bad : {"", "x", "1x", "-1", "1.5", "0x10", "18446744073709551616"}) {
        EXPECT_EQ(
            read("engine", "threads", bad).error().message,
            "must be a whole number, 0 or more, not \"" + std::string(bad) + "\"");
    }
    EXPECT_EQ(read("engine", "threads", "1025").error().code, "range");
    EXPECT_EQ(read("engine", "lease", "soon").error().code, "type");
    EXPECT_EQ(read("log", "level", "loud").error().code, "choice");
}

TEST(ConfigKeys, EachReadsWhatItWritesAndNoTwoTheSame) {
    for (const config_key& one : engine_config_keys()) {
        settings whole;
        app_settings app;
        config_target target = part_of(whole, one.section);
        if (one.section == app_section) {
            EXPECT_TRUE(std::holds_alternative<std::monostate>(target));
            target = &app;
        }
        const config_value given = one.kind == config_kind::count      ? config_value(std::uint64_t{7})
                                   : one.kind == config_kind::interval ? config_value(milliseconds(7))
                                   : one.kind == config_kind::list
                                       ? config_value(std::vector<std::string>{"seven"})
                                       : config_value(std::string("seven"));
        one.assign(target, given);
        std::set<std::string> changed;
        for (const config_key& other : engine_config_keys()) {
            config_target there = part_of(whole, other.section);
            if (other.section == app_section) {
                there = &app;
            }
            if (other.read(there) == given) {
                changed.insert(full_name(other));
            }
        }
        EXPECT_EQ(changed, std::set<std::string>{full_name(one)});
    }
}

TEST(ConfigKeys, HaveNamesForTheFileAndTheEnvironment) {
    EXPECT_EQ(full_name(key_of("quiet_hours", "from")), "quiet_hours.from");
    EXPECT_EQ(environment_name(key_of("quiet_hours", "from")), "TOCSIN_QUIET_HOURS_FROM");
    settings whole;
    for (const config_section& one : engine_config_sections()) {
        EXPECT_EQ(std::holds_alternative<std::monostate>(part_of(whole, one.path)), one.path == app_section)
            << one.path;
    }
}

}  // namespace
}  // namespace tocsin
