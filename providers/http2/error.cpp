#include "providers/http2/error.hpp"

#include "providers/http2/client.hpp"

#include <openssl/ssl.h>

#include <string>

namespace tocsin::http2 {
namespace {

class category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "http2"; }

    [[nodiscard]] std::string message(int value) const override {
        // No default: a new enumerator must not compile until it has a sentence of its own.
        switch (static_cast<http2_errc>(value)) {
            case http2_errc::stream_refused: return "the provider refused the stream before processing it";
            case http2_errc::going_away: return "the provider is closing this connection";
            case http2_errc::ids_exhausted: return "the connection has used up its stream ids";
            case http2_errc::stream_reset: return "the provider reset the stream";
            case http2_errc::enhance_your_calm: return "the provider asks for fewer requests";
            case http2_errc::http_1_1_required:
                return "the peer wants HTTP/1.1: is there a proxy in between?";
            case http2_errc::malformed_answer: return "the answer breaks the rules of HTTP";
            case http2_errc::protocol_violation: return "the peer does not speak proper HTTP/2";
            case http2_errc::no_free_stream: return "the connection has no free stream";
            case http2_errc::not_sent: return "the request could not be put into HTTP/2 frames";
            case http2_errc::header_too_large:
                return "the provider takes no header as large as the request's";
            case http2_errc::deadline_exceeded: return "no answer in time";
            case http2_errc::connection_silent: return "the connection went silent and did not answer a PING";
            case http2_errc::connection_lost: return "the provider closed the connection";
            case http2_errc::closed_here: return "the connection was closed on this side";
            case http2_errc::drain_timeout: return "the connection was retired before the answer came";
            case http2_errc::address_not_allowed:
                return "the host is at an address that must not be connected to";
            case http2_errc::unknown_host: return "the host has no address";
        }
        return "unknown HTTP/2 error";
    }
};

}  // namespace

bool peer_word::about_our_certificate() const noexcept {
    if (what != kind::tls_alert) {
        return false;
    }
    switch (code) {
        case SSL_AD_BAD_CERTIFICATE:
        case SSL_AD_UNSUPPORTED_CERTIFICATE:
        case SSL_AD_CERTIFICATE_REVOKED:
        case SSL_AD_CERTIFICATE_EXPIRED:
        case SSL_AD_CERTIFICATE_UNKNOWN:
        case SSL_AD_UNKNOWN_CA:
        case SSL_AD_ACCESS_DENIED:
        case SSL_AD_CERTIFICATE_REQUIRED: return true;
        default: return false;
    }
}

const boost::system::error_category& http2_category() noexcept {
    static const category instance;
    return instance;
}

}  // namespace tocsin::http2
