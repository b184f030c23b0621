#include "tools/simulator/request.hpp"

namespace tocsin::sim {

void request::clear() noexcept {
    next = previous = nullptr;
    ignored = decided = answered = false;
    ended = finished = false;
    content_length.reset();
    arrived = 0;
    consumed = 0;
    receive_window = send_window = 0;
    post = duplicate_header = false;
    seen = 0;
    flaw = success;
    priority = push_type = 0;
    bad_id = bad_collapse_id = bad_expiration = topic_present = validate_only = false;
    credential = nullptr;
    owner = -1;
    topic.clear();
    token = {};
    token_text.clear();
    key = 0;
    body = {};
    body_text.clear();
    headers.clear();
    reason = success;
    counted = accepted = has_apns_id = false;
    retry_after.clear();
    reply_text.clear();
    reply = {};
    reply_type = {};
    replied = piece = 0;
}

}  // namespace tocsin::sim
