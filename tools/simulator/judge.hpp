#pragma once

#include "tools/simulator/behaviour.hpp"
#include "tools/simulator/chance.hpp"
#include "tools/simulator/conversation.hpp"
#include "tools/simulator/counters.hpp"
#include "tools/simulator/recorder.hpp"
#include "tools/simulator/token_ledger.hpp"

#include <cstdint>

namespace tocsin::sim {

/// What becomes of a request whose answer has been written.
struct sentence {
    fate what = fate::answer;
    std::uint32_t reset_code = 0;  ///< For fate::reset.
    duration delay{};              ///< Before an answer.
};

/// Decides about each request of one provider on one thread: the provider's checks first, then the
/// token's script, whether its phone is gone, the shares of errors; and counts.
///
/// A request is processed when it is decided. Faults that eat the answer come afterwards, so a token
/// that is counted accepted has its notification, whether or not the client ever hears of it.
class judge {
public:
    /// The references outlive the judge.
    judge(provider which, token_ledger& ledger, recorder& records, provider_counters& counters)
        : which_(which), ledger_(ledger), records_(records), counters_(counters) {}

    [[nodiscard]] sentence decide(
        conversation& talk, request& asked, dice& chance, const behaviour& current, const moment& now);

    /// The request was promised unprocessed after all: nothing of it stays counted.
    void take_back(request& asked) noexcept;

private:
    struct choice {
        reason_index reason = success;
        refusal_details details;
        sentence ruling;
    };

    [[nodiscard]] choice choose(
        const request& asked, const behaviour& current, std::uint32_t attempt) const noexcept;
    void write_answer(
        conversation& talk, request& asked, const choice& chosen, const provider_behaviour& rules,
        dice& chance, const moment& now);

    provider which_;
    token_ledger& ledger_;
    recorder& records_;
    provider_counters& counters_;
};

}  // namespace tocsin::sim
