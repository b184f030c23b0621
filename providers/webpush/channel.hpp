#pragma once

#include "engine/core/text_hash.hpp"
#include "engine/delivery/provider.hpp"
#include "providers/common/credential_health.hpp"
#include "providers/common/response_counters.hpp"
#include "providers/connections.hpp"
#include "providers/webpush/body_store.hpp"
#include "providers/webpush/encryption.hpp"
#include "providers/webpush/key_reserve.hpp"
#include "providers/webpush/line.hpp"
#include "providers/webpush/vapid.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::webpush {

/// What all channels of a provider share.
struct service {
    std::string app;
    std::vector<std::string> services;  ///< Origins beside the known ones.
    std::shared_ptr<net::tls_context> tls;
    std::shared_ptr<vapid_tokens> tokens;
    std::shared_ptr<connection_registry> connections;
    std::shared_ptr<key_reserve> keys;
    credential_health health;
};

/// One app on Web Push on one thread: a line and a pool for each push service that its devices name.
///
/// Encrypts on the thread that sends, a few messages a turn of its loop, so that whatever else the thread
/// does is not held up. Destroyed, it forgets the pushes that it has taken: nobody settles them. Drain the
/// source first.
class webpush_channel final : public tocsin::channel, private line_owner {
public:
    webpush_channel(std::shared_ptr<service> shared, encryptor cipher, const channel_context& context);
    webpush_channel(const webpush_channel&) = delete;
    webpush_channel& operator=(const webpush_channel&) = delete;
    ~webpush_channel() override;

    void wake() override;
    void prepare() override;
    [[nodiscard]] channel_statistics statistics() const override;

private:
    struct place {
        std::shared_ptr<http2::pool> pool;
        std::unique_ptr<line> way;  // Detached from the pool before either goes.
    };

    void refill(line& whose, time_point now) noexcept override { take_some(&whose, now); }
    [[nodiscard]] bool may_encrypt(line& whose) noexcept override;
    [[nodiscard]] std::size_t coming(const line& whose, duration within) const noexcept override;

    void take_some(line* whose, time_point now) noexcept;
    void route(push& item, bool urgent, const line* whose, time_point now) noexcept;
    /// Null if nothing may be sent there, or there is no room for one more; `why` says which.
    [[nodiscard]] line* line_for(std::string_view endpoint, const line* whose, verdict& why, time_point now);
    [[nodiscard]] line& open_line(std::string_view authority, const std::string& origin);
    [[nodiscard]] bool make_room(const line* whose);
    void note_routed(line& way) noexcept;
    void begin_turn() noexcept;
    void look() noexcept;
    void schedule_look();
    void close(place& which) noexcept;

    // The service first: the lines look at what it owns.
    std::shared_ptr<service> service_;
    boost::asio::any_io_executor executor_;
    std::size_t thread_;
    push_source& source_;
    const time_source& time_;
    response_counters counters_;
    encryptor cipher_;
    body_store bodies_;
    line_wiring wiring_;
    boost::unordered_flat_map<std::string, place, text_hash, std::equal_to<>> places_;  ///< By authority.
    std::size_t routed_ = 0;  ///< Sum of the lines'.
    boost::asio::steady_timer look_;
    bool looking_ = false;
    bool waking_ = false;
    bool turn_posted_ = false;
    std::shared_ptr<void> alive_;
};

}  // namespace tocsin::webpush
