#pragma once

#include "tools/simulator/reasons.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::sim {

/// One stream: what was asked, and what will be answered. Taken from a pool and used again, so that
/// its strings keep their memory.
struct request {
    std::int32_t stream = 0;
    request* next = nullptr;  ///< The open streams of a session are a list; it owns them.
    request* previous = nullptr;
    bool ignored = false;   ///< Already reset or promised unprocessed: whatever else arrives is dropped.
    bool decided = false;   ///< Its answer is decided, and may wait for its time.
    bool answered = false;  ///< Its answer is with the HTTP/2 session.

    // ---- HTTP/2. The session's own.
    bool ended = false;     ///< The client has said all.
    bool finished = false;  ///< So have we.
    std::optional<std::uint64_t> content_length;
    std::uint64_t arrived = 0;        ///< Bytes of the body, whether or not they are kept.
    std::size_t consumed = 0;         ///< Bytes for which the client was not given window again.
    std::int64_t receive_window = 0;  ///< What the client may still send.
    std::int64_t send_window = 0;     ///< What we may still send.

    // ---- Asked. The conversation fills these while the headers arrive.
    bool post = false;
    bool duplicate_header = false;
    std::uint32_t seen = 0;       ///< One bit for each header that may come once.
    reason_index flaw = success;  ///< What is wrong with the path.
    std::uint8_t priority = 0;    ///< APNs: 1, 5 or 10; 0: absent; 255: something else.
    std::uint8_t push_type = 0;   ///< APNs: see apns_conversation; 0: absent; 255: unknown.
    bool bad_id = false;
    bool bad_collapse_id = false;
    bool bad_expiration = false;
    bool topic_present = false;
    bool validate_only = false;
    const void* credential = nullptr;  ///< The conversation's own, valid while it lives.
    std::int32_t owner = -1;           ///< Topic (APNs) or project (FCM) in credentials; -1: unknown.
    std::string topic;                 ///< APNs, as sent.
    std::string_view token;            ///< Device token: lower-case hex for APNs. As `body` below.
    std::string token_text;            ///< Backs `token` if it is not a part of the body.
    std::uint64_t key = 0;             ///< Its token_key().
    std::string_view body;             ///< Only while the request is being decided.
    std::string body_text;             ///< Backs `body` if it came in pieces.
    std::vector<std::pair<std::string, std::string>> headers;  ///< Only while recording.

    // ---- Answered.
    std::array<char, 3> status{};
    reason_index reason = success;
    bool counted = false;   ///< In the ledger, under `key`.
    bool accepted = false;  ///< Counted there as accepted.
    std::array<char, 36> apns_id{};
    bool has_apns_id = false;
    std::string retry_after;
    std::string reply_text;       ///< Backs `reply` if it is not a constant.
    std::string_view reply;       ///< The body.
    std::string_view reply_type;  ///< Content type; empty: none.
    std::size_t replied = 0;      ///< How much of `reply` is framed.
    std::size_t piece = 0;        ///< The most that one DATA frame carries; 0: no limit.

    void set_status(std::uint16_t code) noexcept {
        status = {
            static_cast<char>('0' + code / 100 % 10), static_cast<char>('0' + code / 10 % 10),
            static_cast<char>('0' + code % 10)};
    }

    void clear() noexcept;
};

/// Requests that are not in use.
class request_pool {
public:
    [[nodiscard]] std::unique_ptr<request> take() {
        if (free_.empty()) {
            return std::make_unique<request>();
        }
        auto taken = std::move(free_.back());
        free_.pop_back();
        return taken;
    }
    void put(std::unique_ptr<request> used) {
        constexpr std::size_t most = 8192;
        if (free_.size() < most) {
            used->clear();
            free_.push_back(std::move(used));
        }
    }

private:
    std::vector<std::unique_ptr<request>> free_;
};

}  // namespace tocsin::sim
