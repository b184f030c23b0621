#include "engine/net/tls_channel.hpp"

#include "engine/net/tls_context.hpp"
#include "tests/support/throw_away_ca.hpp"

#include <array>
#include <optional>

#include <gtest/gtest.h>

namespace tocsin::net {
namespace {

using testing::throw_away_ca;
using progress = tls_channel::progress;

/// The server side, on OpenSSL's own memory BIOs.
class server_side {
public:
    explicit server_side(SSL_CTX* context) : session_(SSL_new(context)) {
        in_ = BIO_new(BIO_s_mem());
        out_ = BIO_new(BIO_s_mem());
        SSL_set_bio(session_.get(), in_, out_);
        SSL_set_accept_state(session_.get());
    }
    void feed(std::string_view bytes) {
        if (!bytes.empty()) {
            BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
        }
        SSL_do_handshake(session_.get());
    }
    std::string take_output() {
        std::string out(BIO_ctrl_pending(out_), '\0');
        if (!out.empty()) {
            BIO_read(out_, out.data(), static_cast<int>(out.size()));
        }
        return out;
    }
    void write(std::string_view plaintext) {
        SSL_write(session_.get(), plaintext.data(), static_cast<int>(plaintext.size()));
    }
    std::string read() {
        std::string all;
        std::array<char, 16 * 1024> part{};
        for (int count = 0; (count = SSL_read(session_.get(), part.data(), part.size())) > 0;) {
            all.append(part.data(), static_cast<std::size_t>(count));
        }
        return all;
    }
    void new_keys() {
        SSL_key_update(session_.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
        SSL_do_handshake(session_.get());
    }
    void close() { SSL_shutdown(session_.get()); }
    [[nodiscard]] bool done() const { return SSL_is_init_finished(session_.get()) == 1; }
    [[nodiscard]] std::string server_name() const {
        const char* name = SSL_get_servername(session_.get(), TLSEXT_NAMETYPE_host_name);
        return name == nullptr ? "" : name;
    }

private:
    c_handle<SSL, SSL_free> session_;
    BIO* in_;
    BIO* out_;
};

class TlsChannelTest : public ::testing::Test {
protected:
    std::shared_ptr<tls_context> context_trusting(const std::string& file) {
        tls_options options;
        options.ca_file = file;
        options.alpn = "h2";
        return tls_context::create(options).value();
    }
    void connect(const std::string& host, SSL_SESSION* ticket = nullptr) {
        client.emplace(trusting->session(host));
        server.emplace(server_context.get());
        if (ticket != nullptr) {
            client->resume(ticket);
        }
    }
    progress handshake() {
        std::string bytes;
        for (int round = 0; round < 10; ++round) {
            const progress outcome = client->handshake();
            client->take_output(bytes);
            server->feed(bytes);
            if (outcome != progress::wants_bytes) {
                return outcome;
            }
            from_server = server->take_output();
            client->receive(from_server);
        }
        return progress::wants_bytes;
    }
    /// Everything the server has sent, decrypted.
    std::string receive() {
        from_server = server->take_output();
        client->receive(from_server);
        std::string all;
        std::array<char, 1000> part{};
        for (std::size_t count = 0; (count = client->read(part)) != 0;) {
            all.append(part.data(), count);
        }
        return all;
    }

    throw_away_ca ca;
    throw_away_ca::context_handle server_context = ca.server_context("DNS:push.test,IP:127.0.0.1");
    std::shared_ptr<tls_context> trusting = context_trusting(ca.file());
    std::optional<tls_channel> client;
    std::optional<server_side> server;
    std::string from_server;
};

int choose_h2(
    SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered, unsigned, void*) {
    *out = offered + 1;
    *size = offered[0];
    return SSL_TLSEXT_ERR_OK;
}

TEST_F(TlsChannelTest, CarriesBytesBothWaysAndTellsTheProtocol) {
    SSL_CTX_set_alpn_select_cb(server_context.get(), &choose_h2, nullptr);
    connect("push.test");
    ASSERT_EQ(handshake(), progress::done);
    EXPECT_TRUE(server->done());
    EXPECT_EQ(client->alpn(), "h2");
    EXPECT_EQ(server->server_name(), "push.test");

    ASSERT_TRUE(client->write("hello"));
    std::string bytes;
    client->take_output(bytes);
    server->feed(bytes);
    EXPECT_EQ(server->read(), "hello");
    server->write("and welcome");
    EXPECT_EQ(receive(), "and welcome");
    EXPECT_EQ(client->now(), tls_channel::state::open);
}

TEST_F(TlsChannelTest, PeerThatChoosesNoProtocolIsSeen) {
    connect("push.test");
    ASSERT_EQ(handshake(), progress::done);
    EXPECT_EQ(client->alpn(), "");
}

TEST_F(TlsChannelTest, GathersFullRecordsIntoOneOutput) {
    connect("push.test");
    ASSERT_EQ(handshake(), progress::done);
    const std::string body(64 * 1024, 'b');
    ASSERT_TRUE(client->write(body));
    std::string bytes;
    client->take_output(bytes);
    // Four records of 16 KiB with 22 bytes each: header, content type, tag.
    EXPECT_EQ(bytes.size(), body.size() + 4 * 22);
    EXPECT_FALSE(client->has_output());
    server->feed(bytes);
    EXPECT_EQ(server->read(), body);
}

TEST_F(TlsChannelTest, WhatWaitedIsSentBeforeWhatIsWrittenIntoStorageOfTheCaller) {
    connect("push.test");
    ASSERT_EQ(handshake(), progress::done);
    std::string shared = "of another connection";
    ASSERT_TRUE(client->write("one, ", shared));
    server->feed(shared);
    ASSERT_TRUE(client->write("two, "));
    EXPECT_TRUE(client->has_output());
    ASSERT_TRUE(client->write("three", shared));
    EXPECT_FALSE(client->has_output());
    server->feed(shared);
    EXPECT_EQ(server->read(), "one, two, three");
}

TEST_F(TlsChannelTest, ReadsManyRecordsFromOneInputAndARecordFromManyInputs) {
    connect("push.test");
    ASSERT_EQ(handshake(), progress::done);
    std::string expected;
    for (int i = 0; i < 200; ++i) {
        server->write("answer " + std::to_string(i));
        expected += "answer " + std::to_string(i);
    }
    EXPECT_EQ(receive(), expected);

    server->write("in pieces");
    const std::string bytes = server->take_output();
    std::string got;
    for (const char& byte : bytes) {
        EXPECT_EQ(got, "");
        client->receive({&byte, 1});
        std::array<char, 100> part{};
        got.append(part.data(), client->read(part));
    }
    EXPECT_EQ(got, "in pieces");
}

TEST_F(TlsChannelTest, UnknownAuthorityIsASentence) {
    const throw_away_ca other;
    trusting = context_trusting(other.file());
    connect("push.test");
    EXPECT_EQ(handshake(), progress::failed);
    EXPECT_NE(client->problem().find("certificate verify failed: "), std::string::npos) << client->problem();
    EXPECT_EQ(client->now(), tls_channel::state::failed);
    EXPECT_FALSE(client->write("secret"));
    EXPECT_FALSE(client->has_output());
}

TEST_F(TlsChannelTest, WrongNameIsASentence) {
    connect("other.test");
    EXPECT_EQ(handshake(), progress::failed);
    EXPECT_EQ(client->problem(), "certificate verify failed: hostname mismatch");
}

TEST_F(TlsChannelTest, ANameThatStandsInTheSubjectAloneIsRefused) {
    server_context = ca.server_context("email:push.test@example.org");
    connect("push.test");
    EXPECT_EQ(handshake(), progress::failed);
    EXPECT_EQ(client->problem(), "certificate verify failed: hostname mismatch");
}

TEST_F(TlsChannelTest, AFloodOfNewKeysEndsTheChannelAndAFewDoNot) {
    connect("push.test");
    ASSERT_EQ(handshake(), progress::done);
    for (int i = 0; i < 500; ++i) {
        server->new_keys();
        server->write("x");
        ASSERT_EQ(receive(), "x");
    }
    EXPECT_EQ(client->now(), tls_channel::state::open);
    for (int i = 0; i < 200; ++i) {
        server->new_keys();
    }
    EXPECT_EQ(receive(), "");
    EXPECT_EQ(client->now(), tls_channel::state::failed);
    EXPECT_NE(client->problem().find("new keys"), std::string::npos) << client->problem();
}

TEST_F(TlsChannelTest, FinalDotOfAHostIsNeitherSentNorVerified) {
    connect("push.test.");
    ASSERT_EQ(handshake(), progress::done);
    EXPECT_EQ(server->server_name(), "push.test");
}

TEST_F(TlsChannelTest, AddressIsVerifiedAsAnAddress) {
    connect("127.0.0.1");
    EXPECT_EQ(handshake(), progress::done);
    connect("127.0.0.2");
    EXPECT_EQ(handshake(), progress::failed);
    EXPECT_EQ(client->problem(), "certificate verify failed: IP address mismatch");
}

TEST_F(TlsChannelTest, BytesThatAreNotTlsAreASentence) {
    connect("push.test");
    EXPECT_EQ(client->handshake(), progress::wants_bytes);
    client->receive("HTTP/1.1 400 Bad Request\r\n\r\n");
    EXPECT_EQ(client->handshake(), progress::failed);
    EXPECT_NE(client->problem(), "");
}

TEST_F(TlsChannelTest, CloseNotifyIsTheEndAndNotAFailure) {
    connect("push.test");
    ASSERT_EQ(handshake(), progress::done);
    server->write("last words");
    server->close();
    EXPECT_EQ(receive(), "last words");
    EXPECT_EQ(client->now(), tls_channel::state::closed_by_peer);
}

TEST_F(TlsChannelTest, DamagedRecordFails) {
    connect("push.test");
    ASSERT_EQ(handshake(), progress::done);
    EXPECT_EQ(receive(), "");
    server->write("fragile");
    std::string bytes = server->take_output();
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    client->receive(bytes);
    std::array<char, 100> part{};
    EXPECT_EQ(client->read(part), 0U);
    EXPECT_EQ(client->now(), tls_channel::state::failed);
    EXPECT_NE(client->problem(), "");
}

TEST_F(TlsChannelTest, TicketResumesTheNextConnectionEvenAfterACut) {
    connect("push.test");
    ASSERT_EQ(handshake(), progress::done);
    EXPECT_EQ(client->ticket(), nullptr);  // TLS 1.3: it comes after the handshake.
    EXPECT_EQ(receive(), "");
    const auto ticket = client->ticket();
    ASSERT_NE(ticket, nullptr);
    EXPECT_FALSE(client->resumed());

    connect("push.test", ticket.get());  // The first one ends without a close_notify.
    ASSERT_EQ(handshake(), progress::done);
    EXPECT_TRUE(client->resumed());
}

}  // namespace
}  // namespace tocsin::net
