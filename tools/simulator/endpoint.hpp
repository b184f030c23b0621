#pragma once

#include "tools/simulator/answer_clock.hpp"
#include "tools/simulator/apns_conversation.hpp"
#include "tools/simulator/fcm_conversation.hpp"
#include "tools/simulator/h2_session.hpp"
#include "tools/simulator/judge.hpp"
#include "tools/simulator/options.hpp"
#include "tools/simulator/tls_server.hpp"
#include "tools/simulator/webpush_conversation.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin::sim {

/// What all threads share. Everything but the ledgers, the records and the revocation is immutable; the
/// references outlive it.
struct shared_state {
    shared_state(const simulator_options& chosen, const credentials& customers, const time_source& clock_used)
        : options(chosen), known(customers), time(clock_used), records(chosen.record_limit) {}

    simulator_options options;
    const credentials& known;
    const time_source& time;
    tls_context_handle tls;
    std::array<token_ledger, provider_count> ledgers;
    recorder records;
    std::atomic<std::int64_t> access_tokens_valid_from_ms{0};
    std::string push_origin;  ///< Of the push service, once its port is known.
};

/// Room to read into and to decrypt in, shared by the connections of a thread.
struct scratch_space {
    std::array<char, std::size_t{64} * 1024> ciphertext;
    std::array<char, std::size_t{32} * 1024> plaintext;
};

/// One provider on one thread: what its connections have in common.
class endpoint {
public:
    endpoint(provider which, shared_state& shared);

    /// A new connection's view of its peer.
    [[nodiscard]] std::unique_ptr<conversation> converse(const tls_pipe& peer);
    /// What the first SETTINGS announces to it.
    [[nodiscard]] session_settings settings(const conversation& talk) const noexcept;
    [[nodiscard]] std::uint32_t full_stream_limit() const noexcept;

    /// Code and debug data of the provider's GOAWAY for a stream too many, and for a routine restart.
    [[nodiscard]] std::uint32_t violation_code() const noexcept;
    [[nodiscard]] std::string_view violation_words() const noexcept;
    [[nodiscard]] std::string_view restart_words() const noexcept;

    const provider which;
    shared_state& shared;
    provider_counters counters;
    judge decides;
    scratch_space* scratch = nullptr;    ///< The thread's.
    request_pool* pool = nullptr;        ///< The thread's.
    answer_clock* beat = nullptr;        ///< The thread's.
    const behaviour* current = nullptr;  ///< The thread's; replaced between events.

private:
    std::unique_ptr<apns_desk> apns_;
    std::unique_ptr<fcm_desk> fcm_;
    std::unique_ptr<webpush_desk> webpush_;
};

}  // namespace tocsin::sim
