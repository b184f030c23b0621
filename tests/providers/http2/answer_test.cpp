#include "providers/http2/answer.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using fields = std::vector<std::pair<std::string, std::string>>;

void block(answer& to, const fields& of, bool ends_stream = false) {
    to.begin_block();
    for (const auto& [name, value] : of) {
        to.field(name, value);
    }
    to.end_block(ends_stream);
}

TEST(Answer, HasWhatTheFinalBlockSaysAndTheWholeBody) {
    answer one;
    block(one, {{":status", "103"}, {"apns-id", "interim"}, {"content-length", "99"}});
    block(
        one, {{":status", "410"},
              {"apns-id", "abc"},
              {"content-type", "application/json"},
              {"retry-after", "5"},
              {"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
              {"content-length", "10"}});
    one.data("01234");
    one.data("56789");
    block(one, {{"x-trailer", "1"}, {"apns-id", "trailer"}}, true);
    one.end();
    EXPECT_FALSE(one.malformed());
    response out;
    one.put_into(out);
    EXPECT_EQ(out.status, 410);
    EXPECT_EQ(out.body, "0123456789");
    EXPECT_EQ(out.provider_id, "abc");
    EXPECT_EQ(out.content_type, "application/json");
    EXPECT_EQ(out.retry_after, "5");
    EXPECT_EQ(out.date, "Sun, 06 Nov 1994 08:49:37 GMT");
    one.clear();
    block(one, {{":status", "200"}}, true);
    one.put_into(out);
    EXPECT_EQ(out.date, "") << "of the answer before";
}

TEST(Answer, WithABlockThatBreaksARuleIsNone) {
    struct row {
        fields of;
        bool malformed;
        const char* because;
    };
    const std::vector<row> rows{
        {{{":status", "200"}}, false, ""},
        {{{":status", "200"}, {"x-a!#$%&'*+-.^_`|~0", "anything at all"}}, false, ""},
        {{}, true, "no status"},
        {{{"x", "1"}}, true, "no status"},
        {{{":status", "200"}, {":status", "200"}}, true, "two"},
        {{{"x", "1"}, {":status", "200"}}, true, "behind another field"},
        {{{":status", "20"}}, true, "two digits"},
        {{{":status", "2000"}}, true, "four digits"},
        {{{":status", "2 0"}}, true, "no number"},
        {{{":status", "-20"}}, true, "negative"},
        {{{":status", "099"}}, true, "below 100"},
        {{{":status", ""}}, true, "empty"},
        {{{":path", "/"}}, true, "of a request"},
        {{{":status", "200"}, {"Content-Type", "x"}}, true, "upper case"},
        {{{":status", "200"}, {"", "x"}}, true, "no name"},
        {{{":status", "200"}, {"a b", "x"}}, true, "a space"},
        {{{":status", "200"}, {"connection", "close"}}, true, "of a connection"},
        {{{":status", "200"}, {"keep-alive", "x"}}, true, "of a connection"},
        {{{":status", "200"}, {"proxy-connection", "x"}}, true, "of a connection"},
        {{{":status", "200"}, {"transfer-encoding", "chunked"}}, true, "of a connection"},
        {{{":status", "200"}, {"upgrade", "h2c"}}, true, "of a connection"},
        {{{":status", "200"}, {"content-length", "0"}, {"content-length", "0"}}, true, "two"},
        {{{":status", "200"}, {"content-length", "-1"}}, true, "negative"},
        {{{":status", "200"}, {"content-length", "1x"}}, true, "no number"},
        {{{":status", "200"}, {"content-length", "99999999999999999999"}}, true, "too large a number"},
        {{{":status", "101"}}, true, "another protocol"},
    };
    for (const row& each : rows) {
        answer one;
        block(one, each.of);
        EXPECT_EQ(one.malformed(), each.malformed) << each.because;
    }
}

TEST(Answer, MustComeInItsOrder) {
    const fields good{{":status", "200"}};
    answer interim_alone;
    block(interim_alone, {{":status", "100"}}, true);
    EXPECT_TRUE(interim_alone.malformed()) << "the stream ends with it";

    answer early;
    block(early, {{":status", "100"}});
    early.data("x");
    EXPECT_TRUE(early.malformed()) << "a body before the final block";

    answer late;
    block(late, good);
    block(late, {{"x", "1"}}, true);
    late.data("x");
    EXPECT_TRUE(late.malformed()) << "a body behind the trailers";

    answer again;
    block(again, good);
    block(again, good, true);
    EXPECT_TRUE(again.malformed()) << "a status in the trailers";

    answer unended;
    block(unended, good);
    block(unended, {{"x", "1"}}, false);
    EXPECT_TRUE(unended.malformed()) << "trailers that do not end it";

    answer nothing;
    nothing.end();
    EXPECT_TRUE(nothing.malformed());
}

TEST(Answer, MustHaveAsManyBytesAsItSays) {
    for (const auto& [announced, sent, malformed] : std::vector<std::tuple<std::string, std::size_t, bool>>{
             {"0", 0, false}, {"3", 3, false}, {"3", 2, true}, {"3", 4, true}, {"40000", 40'000, false}}) {
        answer one;
        block(one, {{":status", "200"}, {"content-length", announced}});
        one.data(std::string(sent, 'x'));
        one.end();
        EXPECT_EQ(one.malformed(), malformed) << announced << " and " << sent;
    }
}

TEST(Answer, KeepsNoMoreOfABodyThanIsReadAndNothingOfTheOneBefore) {
    answer one;
    block(one, {{":status", "500"}, {"apns-id", std::string(100, 'i')}});
    for (int i = 0; i < 10; ++i) {
        one.data(std::string(3'000, 'x'));
    }
    one.end();
    response out;
    one.put_into(out);
    EXPECT_EQ(out.body.size(), answer::largest_body);
    EXPECT_EQ(out.provider_id, std::string(47, 'i')) << "what does not fit is cut off";
    one.clear();
    block(one, {{":status", "200"}}, true);
    one.end();
    EXPECT_FALSE(one.malformed());
    one.put_into(out);
    EXPECT_EQ(out.status, 200);
    EXPECT_EQ(out.body, "");
    EXPECT_EQ(out.provider_id, "");
}

}  // namespace
}  // namespace tocsin::http2
