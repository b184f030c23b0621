#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// What a provider's channel and the HTTP/2 pool say to each other. The pool pulls: when a
// connection has a free stream, it asks a client for one request.

namespace tocsin::http2 {

/// How a header field is compressed (RFC 7541, section 6.2).
enum class indexing : std::uint8_t {
    keep,   ///< Enters the dynamic table: for what repeats from request to request.
    never,  ///< Literal, kept out of the table: for what differs in every request (the path of APNs).
};

struct field {
    std::string_view name;  ///< Lower case; pseudo-header fields first.
    std::string_view value;
    indexing how = indexing::keep;
};

/// One request to write. Names, values and body parts are views: fields must live until
/// next_request() is called again or the call that asked for it returns, body parts until the
/// request is answered or failed.
struct request {
    static constexpr std::size_t max_fields = 16;
    static constexpr std::size_t max_body_parts = 7;
    std::array<field, max_fields> fields;
    std::size_t field_count = 0;
    /// Sent one after another as the body: what is shared, the token, the rest.
    std::array<std::string_view, max_body_parts> body;
    /// Comes back with the answer.
    void* context = nullptr;

    void add(std::string_view name, std::string_view value, indexing how = indexing::keep) noexcept {
        if (field_count < max_fields) {
            fields[field_count++] = {name, value, how};
        }
    }
    void clear() noexcept {
        field_count = 0;
        body = {};
        context = nullptr;
    }
    /// Of all names and values.
    [[nodiscard]] std::size_t field_bytes() const noexcept {
        std::size_t size = 0;
        for (std::size_t i = 0; i < field_count; ++i) {
            size += fields[i].name.size() + fields[i].value.size();
        }
        return size;
    }
    [[nodiscard]] std::size_t body_size() const noexcept {
        std::size_t size = 0;
        for (const std::string_view part : body) {
            size += part.size();
        }
        return size;
    }
};

/// A complete answer. Views live during the call only.
struct response {
    void* context = nullptr;
    int status = 0;
    std::string_view body;  ///< At most 16 KiB of it; empty if there was none.
    std::string_view content_type;
    std::string_view retry_after;
    std::string_view provider_id;  ///< The apns-id field.
    std::string_view date;
    std::uint64_t connection = 0;  ///< Which connection answered; never used twice in a process.
    time_point written_at{};
    time_point answered_at{};
};

/// Why a request has no answer.
enum class failure : std::uint8_t {
    not_processed,  ///< Refused stream, above GOAWAY's last id, or never written: safe to send again.
    unknown,        ///< Written and unanswered when the connection or the stream ended.
    timed_out,      ///< Written and unanswered at its deadline.
};

struct failed_request {
    void* context = nullptr;
    failure why = failure::unknown;
    error_code detail;  ///< http2_errc, or what the socket said.
    std::uint64_t connection = 0;
    time_point written_at{};  ///< time_point{} if it never was.
};

/// What a peer said below HTTP. It concerns every request of the connection, and perhaps all of the client's.
struct peer_word {
    enum class kind : std::uint8_t {
        tls_alert,   ///< `code` is the alert's description (RFC 8446, section 6).
        going_away,  ///< GOAWAY: `code` is HTTP/2's error code, `text` the debug data.
    };
    kind what = kind::going_away;
    std::uint32_t code = 0;
    std::string_view text;  ///< GOAWAY's debug data, hostile until parsed (APNs: JSON); else OpenSSL's words.
    std::uint64_t connection = 0;  ///< As in response.
    bool answered = false;         ///< The connection had answered a request before.

    /// An alert about the certificate that we showed, or about the lack of one.
    [[nodiscard]] bool about_our_certificate() const noexcept;
};

/// What an answer says of the connection that gave it.
enum class connection_advice : std::uint8_t {
    keep,   ///< The peer works with us: it took the request, or judged what the request is about.
    doubt,  ///< Nothing: the peer is in trouble, or does not know us. Such answers alone prove no connection.
    drain,  ///< As doubt; and no new request on it, close it when the ones in flight are answered.
};

/// Something with requests to send. All calls come from the pool's thread, must not throw, and must neither
/// destroy the pool nor detach anybody from it.
class client {
public:
    /// Fills `out` with the next request; false if there is none at this moment.
    /// `connection` is the one it will be written to.
    [[nodiscard]] virtual bool next_request(
        std::uint64_t connection, time_point now, request& out) noexcept = 0;
    /// True if it should go out at once instead of being gathered with others.
    [[nodiscard]] virtual bool urgent() const noexcept = 0;
    /// True if a request costs it so much that it makes few at a time: these go out as they are made, also
    /// while the thread gathers, for there is little to gather, and its turns are too few to make them all
    /// in.
    [[nodiscard]] virtual bool paces_itself() const noexcept { return false; }
    /// Its requests that are written and not answered: somebody whose answers do not come may not take what
    /// the other clients of a pool need.
    [[nodiscard]] virtual std::size_t open_requests() const noexcept { return 0; }
    /// Requests that it could send within that time, those included that it cannot hand out at this moment
    /// but knows to be coming: what connections are opened for. 0 if it cannot tell.
    [[nodiscard]] virtual std::size_t backlog(duration within) const noexcept {
        static_cast<void>(within);
        return 0;
    }
    [[nodiscard]] virtual connection_advice on_response(const response& answer) noexcept = 0;
    virtual void on_failure(const failed_request& failed) noexcept = 0;
    /// A peer of the pool said something below HTTP: before the failures that follow from it, and also when
    /// the connection carried no request of this client, or none at all.
    virtual void on_peer_word(const peer_word&) noexcept {}
    /// A connection could not be opened, `why` says what kept it from being. Another try follows by itself
    /// while somebody has something to send.
    virtual void on_dial_failed(const error_code& why) noexcept { static_cast<void>(why); }

protected:
    ~client() = default;
};

}  // namespace tocsin::http2
