#pragma once

#include "engine/core/c_handle.hpp"

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::sim::testing {

/// A blocking TLS connection that trusts one CA, with a deadline on every read.
class tls_client {
public:
    struct identity {
        std::filesystem::path certificate;
        std::filesystem::path key;
    };

    tls_client(
        std::uint16_t port, const std::filesystem::path& ca_file, std::string_view alpn,
        const std::optional<identity>& shown = std::nullopt);
    tls_client(const tls_client&) = delete;
    tls_client& operator=(const tls_client&) = delete;
    ~tls_client();

    [[nodiscard]] bool connected() const noexcept { return connected_; }
    [[nodiscard]] std::string alpn() const;
    void write(std::string_view bytes);
    /// Whatever arrives next; empty at the end of the connection, or after five seconds of nothing.
    [[nodiscard]] std::string read();

private:
    int socket_ = -1;
    bool connected_ = false;
    c_handle<SSL_CTX, SSL_CTX_free> context_;
    c_handle<SSL, SSL_free> session_;
};

/// An HTTP/1.1 answer.
struct plain_answer {
    int status = 0;
    std::string body;
};
[[nodiscard]] plain_answer https_post(
    std::uint16_t port, const std::filesystem::path& ca_file, const std::string& path,
    const std::string& body);
[[nodiscard]] plain_answer http(
    std::uint16_t port, const std::string& method, const std::string& target, const std::string& body = "");

using header_list = std::vector<std::pair<std::string, std::string>>;

struct h2_answer {
    int status = 0;
    std::map<std::string, std::string> headers;
    std::string body;
    std::size_t data_frames = 0;
    bool closed = false;
    std::uint32_t error = 0;  ///< Of RST_STREAM.
    std::size_t order = 0;    ///< Which answer of the connection this was, from 1.
};

struct h2_goaway {
    std::int32_t last = 0;
    std::uint32_t code = 0;
    std::string debug;
};

/// An HTTP/2 client with as many requests in flight as a test wants, stream limits ignored.
class h2_client {
public:
    h2_client(
        std::uint16_t port, const std::filesystem::path& ca_file,
        const std::optional<tls_client::identity>& shown = std::nullopt);

    /// Queues a request; the stream that it will have.
    std::int32_t submit(const header_list& headers, const std::string& body);
    void ping();
    /// Sends what is queued without reading.
    void send();
    /// Sends what is queued and reads until `done` or the end; false at the end.
    bool run_until(const std::function<bool()>& done);
    /// One request from start to answer.
    h2_answer ask(const header_list& headers, const std::string& body);

    [[nodiscard]] const h2_answer& answer(std::int32_t stream) { return answers_[stream]; }
    [[nodiscard]] const std::vector<h2_goaway>& goaways() const noexcept { return goaways_; }
    /// The newest MAX_CONCURRENT_STREAMS; empty before the first SETTINGS.
    [[nodiscard]] std::optional<std::uint32_t> stream_limit() const noexcept { return stream_limit_; }
    [[nodiscard]] std::uint32_t remote_setting(nghttp2_settings_id id) const;
    [[nodiscard]] bool connected() const noexcept { return tls_.connected(); }
    [[nodiscard]] bool ended() const noexcept { return ended_; }
    [[nodiscard]] std::int32_t connection_window() const;

private:
    struct trampoline;

    /// Passes whole frames on to nghttp2, which is kept from knowing the stream limit: it would obey.
    void feed(std::string_view bytes);

    tls_client tls_;
    std::string unread_;
    std::map<std::int32_t, h2_answer> answers_;
    std::map<std::int32_t, std::string> bodies_;
    std::vector<h2_goaway> goaways_;
    std::optional<std::uint32_t> stream_limit_;
    std::size_t answered_ = 0;
    bool ended_ = false;
    c_handle<nghttp2_session, nghttp2_session_del> session_;
};

}  // namespace tocsin::sim::testing
