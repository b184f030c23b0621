#include "tests/tools/simulator/test_client.hpp"

#include "tests/support/broken_pipe.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tocsin::sim::testing {
namespace {

using tocsin::testing::broken_pipe_is_an_error;

constexpr int patience_ms = 5000;

int connect_to(std::uint16_t port) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(made, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
        ::close(made);
        return -1;
    }
    return made;
}

bool readable(int socket) {
    pollfd wanted{socket, POLLIN, 0};
    return ::poll(&wanted, 1, patience_ms) == 1;
}

plain_answer parse(const std::string& text) {
    plain_answer out;
    const auto end = text.find("\r\n\r\n");
    if (text.size() > 12 && end != std::string::npos) {
        out.status = std::atoi(text.c_str() + 9);
        out.body = text.substr(end + 4);
    }
    return out;
}

std::string request_text(const std::string& method, const std::string& target, const std::string& body) {
    return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

tls_client::tls_client(
    std::uint16_t port, const std::filesystem::path& ca_file, std::string_view alpn,
    const std::optional<identity>& shown)
    : socket_(connect_to(port)), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_load_verify_file(context_.get(), ca_file.c_str());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (shown) {
        SSL_CTX_use_certificate_file(context_.get(), shown->certificate.c_str(), SSL_FILETYPE_PEM);
        SSL_CTX_use_PrivateKey_file(context_.get(), shown->key.c_str(), SSL_FILETYPE_PEM);
    }
    session_.reset(SSL_new(context_.get()));
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session_.get()), "127.0.0.1");
    const std::string wire = static_cast<char>(alpn.size()) + std::string(alpn);
    SSL_set_alpn_protos(
        session_.get(), reinterpret_cast<const unsigned char*>(wire.data()),
        static_cast<unsigned>(alpn.empty() ? 0 : wire.size()));
    SSL_set_fd(session_.get(), socket_);
    const broken_pipe_is_an_error while_it_shakes_hands;
    connected_ = socket_ >= 0 && SSL_connect(session_.get()) == 1;
    ERR_clear_error();
}

tls_client::~tls_client() {
    if (socket_ >= 0) {
        ::close(socket_);
    }
}

std::string tls_client::alpn() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(session_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

void tls_client::write(std::string_view bytes) {
    std::size_t written = 0;
    const broken_pipe_is_an_error while_it_writes;
    if (!bytes.empty()) {
        SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written);
        ERR_clear_error();
    }
}

std::string tls_client::read() {
    std::array<char, 16 * 1024> room{};
    if (SSL_pending(session_.get()) == 0 && !readable(socket_)) {
        return {};
    }
    std::size_t count = 0;
    const broken_pipe_is_an_error while_it_answers;  // Reading may write: an alert, new keys.
    SSL_read_ex(session_.get(), room.data(), room.size(), &count);
    ERR_clear_error();
    return {room.data(), count};
}

plain_answer https_post(
    std::uint16_t port, const std::filesystem::path& ca_file, const std::string& path,
    const std::string& body) {
    tls_client client(port, ca_file, "http/1.1");
    client.write(request_text("POST", path, body));
    std::string text;
    for (std::string more = client.read(); !more.empty(); more = client.read()) {
        text += more;
    }
    return parse(text);
}

plain_answer http(
    std::uint16_t port, const std::string& method, const std::string& target, const std::string& body) {
    const int socket = connect_to(port);
    const std::string asked = request_text(method, target, body);
    if (::send(socket, asked.data(), asked.size(), MSG_NOSIGNAL) < 0) {
        ::close(socket);
        return {};
    }
    std::string text;
    std::array<char, 16 * 1024> room{};
    while (readable(socket)) {
        const ssize_t count = ::recv(socket, room.data(), room.size(), 0);
        if (count <= 0) {
            break;
        }
        text.append(room.data(), static_cast<std::size_t>(count));
    }
    ::close(socket);
    return parse(text);
}

struct h2_client::trampoline {
    static h2_client& self(void* user_data) { return *static_cast<h2_client*>(user_data); }

    static int on_header(
        nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
        const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user_data) {
        h2_answer& answer = self(user_data).answers_[frame->hd.stream_id];
        const std::string key(reinterpret_cast<const char*>(name), name_size);
        const std::string text(reinterpret_cast<const char*>(value), value_size);
        if (key == ":status") {
            answer.status = std::atoi(text.c_str());
        }
        answer.headers[key] = text;
        return 0;
    }
    static int on_data(
        nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* bytes, std::size_t size,
        void* user_data) {
        h2_answer& answer = self(user_data).answers_[stream];
        answer.body.append(reinterpret_cast<const char*>(bytes), size);
        ++answer.data_frames;
        return 0;
    }
    static int on_close(nghttp2_session*, std::int32_t stream, std::uint32_t code, void* user_data) {
        h2_client& client = self(user_data);
        client.answers_[stream].closed = true;
        client.answers_[stream].error = code;
        client.answers_[stream].order = ++client.answered_;
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
        if (frame->hd.type == NGHTTP2_GOAWAY) {
            const auto& seen = frame->goaway;
            self(user_data).goaways_.push_back(
                {seen.last_stream_id, seen.error_code,
                 std::string(reinterpret_cast<const char*>(seen.opaque_data), seen.opaque_data_len)});
        }
        return 0;
    }
    static ssize_t read_body(
        nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t room, std::uint32_t* flags,
        nghttp2_data_source* source, void*) {
        auto& body = *static_cast<std::string*>(source->ptr);
        const std::size_t count = std::min(room, body.size());
        std::memcpy(out, body.data(), count);
        body.erase(0, count);
        if (body.empty()) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        }
        return static_cast<ssize_t>(count);
    }
};

h2_client::h2_client(
    std::uint16_t port, const std::filesystem::path& ca_file,
    const std::optional<tls_client::identity>& shown)
    : tls_(port, ca_file, "h2", shown) {
    nghttp2_session_callbacks* raw = nullptr;
    nghttp2_session_callbacks_new(&raw);
    const c_handle<nghttp2_session_callbacks, nghttp2_session_callbacks_del> callbacks(raw);
    nghttp2_session_callbacks_set_on_header_callback(raw, &trampoline::on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(raw, &trampoline::on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(raw, &trampoline::on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(raw, &trampoline::on_frame);
    nghttp2_option* raw_option = nullptr;
    nghttp2_option_new(&raw_option);
    const c_handle<nghttp2_option, nghttp2_option_del> option(raw_option);
    // Without this a client sends its first requests as if the limit were 100.
    nghttp2_option_set_peer_max_concurrent_streams(raw_option, 100'000);
    nghttp2_session* session = nullptr;
    nghttp2_session_client_new2(&session, raw, this, raw_option);
    session_.reset(session);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
}

std::int32_t h2_client::submit(const header_list& headers, const std::string& body) {
    std::vector<nghttp2_nv> fields;
    for (const auto& [name, value] : headers) {
        fields.push_back(
            {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
             reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
             NGHTTP2_NV_FLAG_NONE});
    }
    const std::int32_t stream = nghttp2_session_get_next_stream_id(session_.get());
    nghttp2_data_provider provider{};
    provider.source.ptr = &(bodies_[stream] = body);
    provider.read_callback = &trampoline::read_body;
    return nghttp2_submit_request(
        session_.get(), nullptr, fields.data(), fields.size(), body.empty() ? nullptr : &provider, nullptr);
}

void h2_client::ping() {
    nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
}

void h2_client::send() {
    std::string out;
    for (const std::uint8_t* bytes = nullptr;;) {
        const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
        if (size <= 0) {
            break;
        }
        out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    }
    tls_.write(out);
}

bool h2_client::run_until(const std::function<bool()>& done) {
    for (;;) {
        send();
        if (done()) {
            return true;
        }
        const std::string arrived = ended_ ? std::string() : tls_.read();
        if (arrived.empty()) {
            ended_ = true;
            return done();
        }
        feed(arrived);
    }
}

void h2_client::feed(std::string_view bytes) {
    unread_ += bytes;
    const auto number = [this](std::size_t at, std::size_t size) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < size; ++i) {
            value = value << 8U | static_cast<unsigned char>(unread_[at + i]);
        }
        return value;
    };
    constexpr std::size_t header = 9;
    while (unread_.size() >= header && unread_.size() >= header + number(0, 3)) {
        const std::size_t size = header + number(0, 3);
        for (std::size_t at = header; number(3, 1) == NGHTTP2_SETTINGS && at < size; at += 6) {
            if (number(at, 2) == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS) {
                stream_limit_ = number(at + 2, 4);
                unread_.replace(at + 2, 4, 4, '\x7F');
            }
        }
        nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(unread_.data()), size);
        unread_.erase(0, size);
    }
}

h2_answer h2_client::ask(const header_list& headers, const std::string& body) {
    const std::int32_t stream = submit(headers, body);
    run_until([&] { return answers_[stream].closed; });
    return answers_[stream];
}

std::uint32_t h2_client::remote_setting(nghttp2_settings_id id) const {
    return nghttp2_session_get_remote_settings(session_.get(), id);
}

std::int32_t h2_client::connection_window() const {
    return nghttp2_session_get_remote_window_size(session_.get());
}

}  // namespace tocsin::sim::testing
