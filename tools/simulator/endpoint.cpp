#include "tools/simulator/endpoint.hpp"

namespace tocsin::sim {

endpoint::endpoint(provider plays, shared_state& state)
    : which(plays),
      shared(state),
      decides(plays, state.ledgers[static_cast<std::size_t>(plays)], state.records, counters) {
    if (which == provider::fcm) {
        counters.by_owner = std::vector<owned_counter>(state.known.projects.size());
        fcm_ = std::make_unique<fcm_desk>(state.known, state.access_tokens_valid_from_ms);
    } else if (which == provider::webpush) {
        counters.by_owner = std::vector<owned_counter>(state.known.vapid_keys.size());
        webpush_ = std::make_unique<webpush_desk>(state.known, state.push_origin);
    } else {
        counters.by_owner = std::vector<owned_counter>(state.known.topics.size());
        apns_ =
            std::make_unique<apns_desk>(state.known, which == provider::sandbox ? "sandbox" : "production");
    }
}

std::unique_ptr<conversation> endpoint::converse(const tls_pipe& peer) {
    if (fcm_ != nullptr) {
        return std::make_unique<fcm_conversation>(*fcm_);
    }
    if (webpush_ != nullptr) {
        return std::make_unique<webpush_conversation>(*webpush_);
    }
    const auto certificate = peer.peer_certificate();
    return std::make_unique<apns_conversation>(
        *apns_, certificate == nullptr ? std::string() : topic_of(*certificate));
}

session_settings endpoint::settings(const conversation& talk) const noexcept {
    const simulator_options& options = shared.options;
    session_settings out;
    const bool fcm = which == provider::fcm || which == provider::webpush;
    out.initial_window = out.connection_window = fcm ? options.fcm_window : options.apns_window;
    out.max_header_list = fcm ? 65'536 : 8000;
    out.streams = full_stream_limit();
    if (!fcm && options.single_stream_until_authenticated && !talk.authenticated()) {
        out.streams = 1;
    }
    return out;
}

std::uint32_t endpoint::full_stream_limit() const noexcept {
    switch (which) {
        case provider::fcm: return shared.options.fcm_streams;
        case provider::webpush: return shared.options.webpush_streams;
        case provider::apns:
        case provider::sandbox: break;
    }
    return shared.options.apns_streams;
}

std::uint32_t endpoint::violation_code() const noexcept {
    return which == provider::fcm ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_REFUSED_STREAM;
}

std::string_view endpoint::violation_words() const noexcept {
    return which == provider::fcm ? "exceeded_max_concurrent_streams"
                                  : "Maximum active streams violated for this endpoint.";
}

std::string_view endpoint::restart_words() const noexcept {
    return which == provider::fcm ? "server_shutting_down" : R"({"reason":"Shutdown"})";
}

}  // namespace tocsin::sim
