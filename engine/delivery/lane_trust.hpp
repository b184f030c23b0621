#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/disposition.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace tocsin {

/// What a lane's answers have said about the app's credential and its provider since the last acceptance,
/// for each kind of device apart: one environment can be set up wrong while the other works. Holds no clock.
class lane_trust {
public:
    void accepted(bool sandbox, time_point now) noexcept {
        kind& of = kinds_[sandbox ? 1 : 0];
        of.credential = 0;
        of.suspects = 0;
        of.last_accepted = now;
        of.ever = true;
        served(sandbox, now);
    }
    void note(bool sandbox, complaint about) noexcept {
        kind& of = kinds_[sandbox ? 1 : 0];
        of.credential += about == complaint::credential ? 1 : 0;
        of.suspects += about == complaint::token ? 1 : 0;
    }
    /// An answer to `token` was a complaint about the provider, and said or did not say how long to wait.
    void note_trouble(bool sandbox, std::string_view token, bool told, time_point now) noexcept {
        kind& of = kinds_[sandbox ? 1 : 0];
        if (of.complainers != 0 && now - of.last_trouble > longest_silence) {
            of.complainers = 0;  // Whoever complained so long ago was somebody else's trouble.
        }
        of.in_trouble_since = of.complainers == 0 ? now : of.in_trouble_since;
        of.last_trouble = now;
        complainer* const known = of.find(token);
        if (known != nullptr) {
            known->told = known->told || told;
        } else if (of.complainers < of.who.size()) {
            of.who[of.complainers++] = {std::hash<std::string_view>()(token), told};
        }
    }
    /// An answer showed that the provider works, whatever it said of the device.
    void served(bool sandbox, time_point now) noexcept {
        kind& of = kinds_[sandbox ? 1 : 0];
        of.complainers = 0;
        of.last_served = now;
        of.ever_served = true;
    }
    /// Somebody has corrected something: as if nothing had been heard.
    void forget() noexcept { kinds_ = {}; }

    /// `token`: whose answer it is.
    void tell(lane_facts& out, bool sandbox, std::string_view token, time_point now) const noexcept {
        const kind& of = kinds_[sandbox ? 1 : 0];
        out.credential_complaints = of.credential;
        const kind& other = kinds_[sandbox ? 0 : 1];
        if (of.complainers != 0) {
            of.tell_trouble(out, token);
            out.provider_unheard = !(other.ever_served && other.last_served >= of.in_trouble_since);
        }
        out.suspects = of.suspects;
        out.works = works(of, now);
        out.other_kind_works = works(other, now);
    }

private:
    static constexpr std::chrono::minutes memory{10};
    /// Longer than anybody waits who was told to.
    static constexpr std::chrono::minutes longest_silence{20};

    struct complainer {
        std::size_t device = 0;
        bool told = false;
    };
    struct kind {
        std::uint32_t credential = 0;
        std::uint32_t suspects = 0;
        /// Devices, not answers: a push that was parked in Redis between two of them counts once. No more
        /// than it takes to be sure.
        std::array<complainer, provider_complaints_to_pause> who{};
        std::size_t complainers = 0;
        time_point in_trouble_since{};  ///< The provider, as far as this kind knows.
        time_point last_trouble{};
        time_point last_served{};
        time_point last_accepted{};
        bool ever_served = false;
        bool ever = false;

        [[nodiscard]] complainer* find(std::string_view token) noexcept {
            const std::size_t device = std::hash<std::string_view>()(token);
            const auto end = who.begin() + static_cast<std::ptrdiff_t>(complainers);
            const auto found = std::find_if(
                who.begin(), end, [device](const complainer& each) { return each.device == device; });
            return found == end ? nullptr : &*found;
        }
        void tell_trouble(lane_facts& out, std::string_view token) const noexcept {
            const std::size_t device = std::hash<std::string_view>()(token);
            for (std::size_t i = 0; i < complainers; ++i) {
                const bool another = who[i].device != device;
                out.provider_complaints += another ? 1 : 0;
                out.provider_told += another && who[i].told ? 1 : 0;
            }
        }
    };
    [[nodiscard]] static bool works(const kind& of, time_point now) noexcept {
        return of.ever && now - of.last_accepted < memory;
    }

    std::array<kind, 2> kinds_{};
};

}  // namespace tocsin
