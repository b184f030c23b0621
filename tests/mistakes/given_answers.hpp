#pragma once

#include "engine/delivery/verdict.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::testing {

/// One thing that can be answered to a push, by a provider or by whatever stands in its place, and what the
/// provider's own judgement makes of it.
class given_answer {
public:
    /// `attempts`: the charged tries of the push before this one.
    using judging = std::function<std::shared_ptr<const verdict>(std::uint32_t attempts)>;

    given_answer(std::string called, judging how) : name(std::move(called)), judge_(std::move(how)) {}

    [[nodiscard]] const verdict& to(std::uint32_t attempts) const {
        auto& one = judged_.at(attempts);
        if (one == nullptr) {
            one = judge_(attempts);
        }
        return *one;
    }

    std::string name;
    /// The provider's certain word about this very token, in the form that the provider itself gives it.
    bool certain = false;

private:
    static constexpr std::size_t most_attempts = 16;
    judging judge_;
    mutable std::array<std::shared_ptr<const verdict>, most_attempts> judged_;
};

/// Everything that is answered on one platform: each row of its table in its own words, each of their
/// statuses with a web page, without a body, and in somebody else's words; and no answer at all. A row that
/// is added to a table is among them.
[[nodiscard]] std::vector<given_answer> apns_answers();
[[nodiscard]] std::vector<given_answer> fcm_answers();
[[nodiscard]] std::vector<given_answer> webpush_answers();

}  // namespace tocsin::testing
