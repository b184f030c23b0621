#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/disposition.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace tocsin {

/// What a lane's answers have said about the app's credential and its provider since the last acceptance,
/// for each kind of device apart: one environment can be set up wrong while the other works. Holds no clock.
class lane_trust {
public:
    void accepted(bool sandbox, time_point now) noexcept {
        kind& of = kinds_[sandbox ? 1 : 0];
        of = {.last_accepted = now, .ever = true};
    }
    void note(bool sandbox, complaint about, bool first_of_its_push, time_point now) noexcept {
        kind& of = kinds_[sandbox ? 1 : 0];
        switch (about) {
            case complaint::none: break;
            case complaint::credential: ++of.credential; break;
            case complaint::provider:
                of.provider += first_of_its_push ? 1 : 0;
                of.in_trouble_since = of.in_trouble_since.value_or(now);
                break;
            case complaint::token: ++of.suspects; break;
        }
    }
    /// Somebody has corrected something: as if nothing had been heard.
    void forget() noexcept { kinds_ = {}; }

    void tell(lane_facts& out, bool sandbox, time_point now) const noexcept {
        const kind& of = kinds_[sandbox ? 1 : 0];
        out.credential_complaints = of.credential;
        out.provider_complaints = of.provider;
        const kind& other = kinds_[sandbox ? 0 : 1];
        out.provider_unheard =
            of.in_trouble_since && !(other.ever && other.last_accepted >= *of.in_trouble_since);
        out.suspects = of.suspects;
        out.works = works(of, now);
        out.other_kind_works = works(other, now);
    }

private:
    static constexpr std::chrono::minutes memory{10};

    struct kind {
        std::uint32_t credential = 0;
        std::uint32_t provider = 0;
        std::uint32_t suspects = 0;
        std::optional<time_point> in_trouble_since{};  ///< The provider, as far as this kind knows.
        time_point last_accepted{};
        bool ever = false;
    };
    [[nodiscard]] static bool works(const kind& of, time_point now) noexcept {
        return of.ever && now - of.last_accepted < memory;
    }

    std::array<kind, 2> kinds_{};
};

}  // namespace tocsin
