#pragma once

#include "tools/simulator/answer_clock.hpp"
#include "tools/simulator/behaviour.hpp"
#include "tools/simulator/chance.hpp"
#include "tools/simulator/delay_queue.hpp"
#include "tools/simulator/endpoint.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string_view>

namespace tocsin::sim {

/// One client's connection: socket, TLS, HTTP/2, and when each answer leaves.
///
/// Everything runs on the socket's executor. One read brings many requests; their answers are decided
/// at once and leave together in one write, or wait in the delay queue for the thread's clock.
class h2_connection final : public std::enable_shared_from_this<h2_connection>,
                            private session_events,
                            private answer_clock::listener {
public:
    using closed_handler = std::function<void(h2_connection&)>;

    /// `on_closed` is called once, when the connection is over. `seed` decides which requests faults hit.
    h2_connection(
        boost::asio::ip::tcp::socket socket, endpoint& host, std::uint64_t seed, closed_handler on_closed);

    void start();
    /// Does what the action says to this connection.
    void perform(const action& wanted);
    /// The behaviour has been replaced.
    void behaviour_changed();
    /// Ends it now, with a TCP reset.
    void cut();

    [[nodiscard]] provider plays() const noexcept { return host_.which; }

private:
    // How far the end of the connection has come.
    enum class phase : std::uint8_t {
        serving,
        draining,   ///< GOAWAY is sent; closes when the last answer has left.
        finishing,  ///< Our side is closed; what the peer still sends is read and dropped.
        closed,
    };

    void on_header(request& asked, std::string_view name, std::string_view value) noexcept override;
    void on_request(request& asked) noexcept override;
    void on_closed(request& asked) noexcept override;
    void on_limit_violated() noexcept override;
    void on_refused() noexcept override;
    void on_protocol_error(std::uint32_t code, bool stream_only) noexcept override;
    void on_idle_ping() noexcept override;
    std::optional<time_point> on_tick() override;

    void wait_readable();
    void on_readable();
    [[nodiscard]] bool receive(std::string_view ciphertext);
    [[nodiscard]] bool begin_session();
    void flush();
    void encrypt_frames();
    void write_some();
    void wait_writable();
    void await_answers();
    void answer(request& asked);
    void go_away(std::int32_t last, std::uint32_t code, std::string_view debug);
    void drain_in_two_steps(const action& wanted);
    /// Does `what` when `wait` has passed, if the connection is still there.
    void later(duration wait, void (h2_connection::*what)());
    void change_settings(const action& wanted);
    void restore_settings();
    void stall(const action& wanted);
    void end_stall();
    void freeze(const action& wanted);
    void finish();
    void close_socket();
    [[nodiscard]] bool serves_something();
    [[nodiscard]] std::size_t unsent() noexcept { return tls_.output().size() - sent_; }
    [[nodiscard]] const provider_behaviour& rules() const noexcept { return host_.current->of(host_.which); }
    void read_clock() noexcept;

    boost::asio::ip::tcp::socket socket_;
    endpoint& host_;
    closed_handler closed_handler_;
    boost::asio::steady_timer end_timer_;  // Of the second GOAWAY, and of the peer's goodbye.
    tls_pipe tls_;
    std::unique_ptr<conversation> talk_;
    delay_queue delays_;
    std::optional<h2_session> session_;  // After the handshake.

    dice chance_;
    moment now_;
    std::size_t sent_ = 0;  // Of tls_.output().
    std::uint32_t requests_ = 0;
    std::uint32_t idle_pings_ = 0;
    phase phase_ = phase::serving;
    bool cut_wanted_ = false;     // A fault cuts the connection as soon as the stack is unwound.
    bool finish_wanted_ = false;  // Likewise, in good order.
    bool limit_is_full_ = false;
    bool waiting_to_write_ = false;
    bool reading_ = false;                          // A wait for input is pending.
    bool listed_ = false;                           // With the thread's clock.
    bool frozen_ = false;                           // Neither reads nor writes.
    unsigned stalls_ = 0;                           // Actions that stall the windows at the moment.
    std::list<boost::asio::steady_timer> pending_;  // Of later().
};

}  // namespace tocsin::sim
