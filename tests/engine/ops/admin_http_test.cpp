#include "engine/ops/admin_http.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

namespace http = boost::beast::http;

TEST(AdminHttp, AnAnswerGoesOutWithItsStatusItsFieldsAndOurs) {
    admin_response answer;
    answer.status = 405;
    answer.content_type = "text/plain";
    answer.body = "no";
    answer.headers = {{"Allow", "GET"}, {"Cache-Control", "max-age=60"}};
    const auto out = to_http(answer, 11, true, false);
    EXPECT_EQ(out.result_int(), 405U);
    EXPECT_EQ(out.version(), 11U);
    EXPECT_EQ(out[http::field::content_type], "text/plain");
    EXPECT_EQ(out["X-Content-Type-Options"], "nosniff");
    EXPECT_EQ(out[http::field::allow], "GET");
    EXPECT_EQ(out.count(http::field::cache_control), 1U);
    EXPECT_EQ(out[http::field::cache_control], "max-age=60") << "an answer's own field goes before ours";
    EXPECT_EQ(out[http::field::content_length], "2");
    EXPECT_EQ(out.body(), "no");
    EXPECT_TRUE(out.keep_alive());
    EXPECT_FALSE(to_http(answer, 11, false, false).keep_alive());
    EXPECT_EQ(to_http({}, 11, true, false)[http::field::cache_control], "no-store");
}

TEST(AdminHttp, AnAnswerToHeadSaysHowLongItsBodyWouldBe) {
    admin_response answer;
    answer.body = "four";
    const auto out = to_http(answer, 11, true, true);
    EXPECT_EQ(out[http::field::content_length], "4");
    EXPECT_EQ(out.body(), "");
}

TEST(AdminHttp, BytesThatAreNoRequestAreToldSoIfSomebodyIsThereToHearIt) {
    const std::vector<std::pair<error_code, unsigned>> rows{{http::error::header_limit, 431},
                                                            {http::error::body_limit, 413},
                                                            {http::error::bad_method, 400},
                                                            {http::error::bad_version, 400},
                                                            {http::error::bad_chunk, 400},
                                                            {http::error::end_of_stream, 0},
                                                            {http::error::partial_message, 0},
                                                            {boost::asio::error::eof, 0},
                                                            {boost::asio::error::connection_reset, 0},
                                                            {boost::asio::error::timed_out, 0}};
    for (const auto& [problem, status] : rows) {
        EXPECT_EQ(status_of(problem), status) << problem.message();
    }
}

TEST(AdminHttp, ABodyThatCouldBeTakenForTheNextRequestIsNotRead) {
    using fields = std::vector<std::pair<http::field, std::string>>;
    struct row {
        unsigned version;
        fields given;
        unsigned status;
    };
    const auto length = std::pair(http::field::content_length, std::string("4"));
    const auto coding = [](const char* name) {
        return std::pair(http::field::transfer_encoding, std::string(name));
    };
    for (const row& one : std::vector<row>{
             {11, {}, 0},
             {10, {length}, 0},
             {11, {coding("chunked")}, 0},
             {11, {coding("CHUNKED")}, 0},
             {10, {coding("chunked")}, 400},
             {11, {coding("chunked"), length}, 400},
             {11, {coding("gzip")}, 501},
             {11, {coding("gzip, chunked")}, 501},
             {11, {coding("chunked"), coding("chunked")}, 501},
             {11, {coding("")}, 501}}) {
        http::request_header<> header;
        header.version(one.version);
        for (const auto& [name, value] : one.given) {
            header.insert(name, value);
        }
        EXPECT_EQ(status_of_framing(header), one.status)
            << one.version << ' ' << header[http::field::transfer_encoding];
    }
}

}  // namespace
}  // namespace tocsin
