#include "engine/audience/territories_csv.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using records = std::vector<std::vector<std::string>>;

records read(std::string_view text) {
    records out;
    csv_reader reader(text);
    for (;;) {
        auto record = reader.next();
        if (!record) {
            ADD_FAILURE() << record.error().message;
            return out;
        }
        if (!*record) {
            return out;
        }
        out.push_back(std::move(**record));
    }
}

std::string fault(std::string_view text) {
    csv_reader reader(text);
    for (;;) {
        const auto record = reader.next();
        if (!record) {
            return record.error().message;
        }
        if (!*record) {
            return "accepted";
        }
    }
}

TEST(Csv, ReadsPlainRecords) {
    EXPECT_EQ(read("a,b\nc,\n"), (records{{"a", "b"}, {"c", ""}}));
    EXPECT_EQ(read("a,b\r\nc,d"), (records{{"a", "b"}, {"c", "d"}}));
    EXPECT_EQ(read(""), records{});
    EXPECT_EQ(read("\xEF\xBB\xBFinsee\n"), (records{{"insee"}}));
}

TEST(Csv, ReadsQuotedFields) {
    EXPECT_EQ(read("\"a,b\",\"say \"\"oui\"\"\"\n"), (records{{"a,b", "say \"oui\""}}));
    EXPECT_EQ(read("\"\",x\n"), (records{{"", "x"}}));
    EXPECT_EQ(read("\"two\nlines\",x\ny,z\n"), (records{{"two\nlines", "x"}, {"y", "z"}}));
}

TEST(Csv, CountsLinesInsideQuotes) {
    csv_reader reader("h\n\"a\nb\"\nc\n");
    (void)reader.next();
    EXPECT_EQ(reader.line(), 1U);
    (void)reader.next();
    EXPECT_EQ(reader.line(), 2U);
    (void)reader.next();
    EXPECT_EQ(reader.line(), 4U);
}

TEST(Csv, RefusesBrokenQuotingWithItsLine) {
    EXPECT_EQ(fault("a\n\"b\n"), "line 2: a quoted field is never closed");
    EXPECT_NE(fault("a\nb\nc\"d\n").find("line 3: "), std::string::npos);
    EXPECT_NE(fault("\"a\"b\n").find("line 1: "), std::string::npos);
    EXPECT_NE(fault("a\rb\n").find("line 1: "), std::string::npos);
}

}  // namespace
}  // namespace tocsin
