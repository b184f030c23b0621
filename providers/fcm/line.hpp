#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/provider.hpp"
#include "providers/auth/provider_token.hpp"
#include "providers/common/credential_health.hpp"
#include "providers/common/response_counters.hpp"
#include "providers/common/token_slot.hpp"
#include "providers/fcm/apple_trouble.hpp"
#include "providers/fcm/host_relief.hpp"
#include "providers/fcm/judgement.hpp"
#include "providers/http2/client.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace tocsin::fcm {

/// What all threads know of a project: whether FCM takes anything from us for it.
class project_record {
public:
    void note_accepted(time_point now) noexcept {
        // A store every few seconds, not one per push: the line stays shared between the threads.
        if (now.time_since_epoch().count() - last_.load(std::memory_order_relaxed) > refresh.count()) {
            last_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
        }
    }
    [[nodiscard]] bool works(time_point now) const noexcept {
        const auto last = last_.load(std::memory_order_relaxed);
        return last != never && now.time_since_epoch().count() - last < memory.count();
    }

private:
    static constexpr duration refresh = std::chrono::seconds(5);
    static constexpr duration memory = std::chrono::minutes(10);
    // Half of the range, so that a difference with it does not overflow.
    static constexpr duration::rep never = duration::min().count() / 2;
    std::atomic<duration::rep> last_{never};
};

/// What a line works with; all of it outlives it.
struct line_wiring {
    const std::string& app;
    const std::string& authority;
    const std::string& path;
    push_source& source;
    const time_source& time;
    logger& log;
    response_counters& counters;
    credential_health& health;
    apple_trouble& apple;
    project_record& project;
    host_relief& host;
    const token_slot& token;
    /// What oauth_token_source::refresh_after_rejection() does.
    std::function<auth::renewal(time_point written_at, time_point now)> refresh;
    /// Told that the host is left alone until then: whoever may wake the line does so at that time.
    std::function<void(time_point until)> held;
};

/// One app's way to FCM on one thread: makes requests of pushes, and verdicts of answers. Knows no
/// connection; a pool asks it.
///
/// While there is no access token it draws nothing; who has a new one wakes the channel. Nor while the host
/// is left alone.
class line final : public http2::client {
public:
    explicit line(line_wiring wiring);
    line(const line&) = delete;
    line& operator=(const line&) = delete;

    [[nodiscard]] bool can_send() { return token_.get(wiring_.token) != nullptr; }

    [[nodiscard]] bool next_request(
        std::uint64_t connection, time_point now, http2::request& out) noexcept override;
    [[nodiscard]] bool urgent() const noexcept override;
    [[nodiscard]] std::size_t backlog(duration within) const noexcept override;
    [[nodiscard]] http2::connection_advice on_response(const http2::response& answer) noexcept override;
    void on_failure(const http2::failed_request& failed) noexcept override;

    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] std::size_t open_requests() const noexcept override { return in_flight_; }

private:
    /// What the table cannot know: what was said before, and how old the token is.
    void weigh(judgement& given, const push& item, const http2::response& answer) noexcept;
    /// Whether the host as a whole is in trouble.
    void weigh_load(bool turned_away, const http2::response& answer) noexcept;
    void weigh_quota(judgement& given, time_point now) noexcept;
    void tell(judgement& given, const push& item, const http2::response& answer);
    void report(const judgement& given, std::string problem);
    void weigh_apple(judgement& given, const push& item, time_point now);

    line_wiring wiring_;
    token_cache token_;
    std::size_t in_flight_ = 0;
    time_point quota_window_{};
    time_point looked_at_{};  ///< When wall_then_ was read: once for a run of requests.
    wall_time wall_then_{};
    std::size_t quota_answers_ = 0;
    overload_watch load_;
    const message* told_about_ = nullptr;
};

}  // namespace tocsin::fcm
