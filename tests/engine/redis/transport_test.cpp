#include "engine/redis/transport.hpp"

#include "engine/redis/error.hpp"
#include "tests/engine/redis/scripted_peer.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::redis {
namespace {

class RedisTransport : public ::testing::Test {
protected:
    error_code connect(const address& where) {
        const auto outcome = testing::run_to_end(loop, subject.connect(where, tls.get()));
        return outcome.has_error() ? outcome.error() : error_code();
    }
    address to(const scripted_peer& peer, bool with_tls) {
        address out;
        out.host = peer.where().host;
        out.port = peer.where().port;
        out.tls = with_tls;
        if (with_tls) {
            tls = net::tls_context::create({}).value();
        }
        return out;
    }

    boost::asio::io_context loop{1};
    std::shared_ptr<net::tls_context> tls;
    transport subject{loop.get_executor()};
};

TEST_F(RedisTransport, CarriesBytesBothWaysUntilThePeerHangsUp) {
    const scripted_peer peer(loop, {scripted_peer::conversation{"answer", ""}});
    ASSERT_FALSE(connect(to(peer, false)));
    ASSERT_TRUE(testing::run_to_end(loop, subject.write("question")).has_value());
    std::array<char, 64> buffer{};
    const auto count = testing::run_to_end(loop, subject.read_some(buffer));
    ASSERT_TRUE(count.has_value());
    EXPECT_EQ(std::string(buffer.data(), *count), "answer");
    EXPECT_EQ(peer.read(), "question");
    EXPECT_EQ(testing::run_to_end(loop, subject.read_some(buffer)).error(), boost::asio::error::eof);
    EXPECT_EQ(subject.problem(), "");
}

TEST_F(RedisTransport, APathIsAsLongAsASocketsNameMayBe) {
    address where;
    where.unix_path = "/" + std::string(106, 'x');
    EXPECT_EQ(connect(where), boost::system::errc::no_such_file_or_directory);
    where.unix_path += 'x';
    EXPECT_EQ(connect(where), boost::system::errc::filename_too_long);
}

TEST_F(RedisTransport, OneThatIsClosedConnectsToNobody) {
    const scripted_peer peer(loop, {scripted_peer::conversation{}});
    subject.close();
    EXPECT_TRUE(subject.is_closed());
    EXPECT_EQ(connect(to(peer, false)), boost::asio::error::operation_aborted);
    EXPECT_EQ(peer.connections(), 0U);
}

struct tls_case {
    const char* name;
    std::string answer;  ///< To our first words of TLS.
    std::string says;    ///< Where the problem begins.
};

std::string alert(char what) {
    return std::string("\x15\x03\x03\x00\x02\x02", 6) + what;
}

class RedisTransportTls : public RedisTransport, public ::testing::WithParamInterface<tls_case> {};

TEST_P(RedisTransportTls, APeerThatTurnsUsAwayIsARefusalThatSaysWhatToCorrect) {
    const scripted_peer peer(loop, {scripted_peer::conversation{GetParam().answer, ""}});
    EXPECT_EQ(connect(to(peer, true)), redis_errc::refused);
    EXPECT_TRUE(subject.problem().starts_with(GetParam().says)) << subject.problem();
}

constexpr const char* no_tls = "what answers there does not speak TLS";
constexpr const char* wants_one = "it asks for a client certificate: redis.certificate_file";
constexpr const char* wrong_one = "it does not accept redis.certificate_file: ";

INSTANTIATE_TEST_SUITE_P(
    Answers, RedisTransportTls,
    ::testing::Values(
        tls_case{"Redis", "-ERR Protocol error: unbalanced quotes in request\r\n", no_tls},
        tls_case{"Http", "HTTP/1.1 400 Bad Request\r\n\r\n", no_tls},
        tls_case{"HandshakeFailure", alert(40), wants_one},
        tls_case{"CertificateRequired", alert(116), wants_one}, tls_case{"NoCertificate", alert(41), "TLS: "},
        tls_case{"BadCertificate", alert(42), wrong_one},
        tls_case{"CertificateUnknown", alert(46), wrong_one},
        tls_case{"IllegalParameter", alert(47), "TLS: "}, tls_case{"UnknownCa", alert(48), wrong_one},
        tls_case{"AccessDenied", alert(49), "TLS: "}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(RedisTransport, APeerThatIsNotThereIsNoMatterOfTls) {
    const scripted_peer peer(loop, {scripted_peer::conversation{"", ""}});
    EXPECT_NE(connect(to(peer, true)), redis_errc::refused) << "it hung up";
    EXPECT_NE(connect(to(peer, true)), error_code());
    EXPECT_EQ(subject.problem(), "");
}

}  // namespace
}  // namespace tocsin::redis
