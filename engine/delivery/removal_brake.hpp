#pragma once

#include <cstdint>
#include <optional>

// The brake on removals: whether a provider's certain word that devices are gone is taken at once, or an
// operator is asked first, because it says so of far more devices than the app has seen.

namespace tocsin {

/// Devices of one app on one platform that a provider has spoken about for certain.
struct answer_counts {
    std::uint64_t accepted = 0;
    std::uint64_t dead = 0;

    [[nodiscard]] std::uint64_t answers() const noexcept { return accepted + dead; }
    /// Of the dead, 0 to 1; 0 if there is no answer.
    [[nodiscard]] double share() const noexcept {
        return answers() == 0 ? 0 : static_cast<double>(dead) / static_cast<double>(answers());
    }
    answer_counts& operator+=(const answer_counts& other) noexcept {
        accepted += other.accepted;
        dead += other.dead;
        return *this;
    }
    friend bool operator==(const answer_counts&, const answer_counts&) = default;
};

/// From when on a share is unusual.
struct removal_limits {
    /// So many devices are removed whatever their share. 0: nobody is ever asked.
    std::uint64_t floor = 1'000;
    double share = 0.25;  ///< Up to this none is unusual…
    double times = 4;     ///< … nor up to so many times the usual one.
    /// Above this one is unusual, whatever is usual; the only bound of an app about which little is known: an
    /// old database that is taken over may well be half dead.
    double first_share = 0.9;
};

/// Answers that make known what is usual for an app.
constexpr std::uint64_t answers_to_know = 1'000;
/// A page says something about itself from so many answers on.
constexpr std::uint64_t answers_of_page = 50;

enum class removal_moment : std::uint8_t {
    page,     ///< A page of the event was settled; more may come.
    overdue,  ///< Devices of it have waited for its end long enough.
    end,      ///< Nothing more will come of it.
};

/// What is known when devices of an event are to be removed.
struct removal_facts {
    answer_counts event;  ///< Of the event so far, these devices among them.
    answer_counts small;  ///< Of other small events of the last hours, so far: faults of those add up.
    answer_counts usual;  ///< Of all events of the last weeks that have ended.
    std::optional<answer_counts> page;  ///< Of these devices' page alone.
    std::uint64_t waiting = 0;          ///< Devices of the event that are dead and not removed yet.
    bool held = false;                  ///< An operator has been asked and has not answered yet.
    bool believed = false;              ///< An operator has said that the provider is right.
    bool readable = true;  ///< False: what is known of the target is something that we have not written.
    removal_moment when = removal_moment::page;
};

enum class removal_word : std::uint8_t {
    remove,
    wait,  ///< It looks unusual and is not much yet: ask again when there is more, or nothing more.
    hold,  ///< Nobody is removed before an operator says so.
};

struct removal_judgement {
    removal_word word = removal_word::remove;
    answer_counts seen;  ///< What the word is about.
    double limit = 1;    ///< Of its share.
};

/// The share above which one is unusual.
[[nodiscard]] double unusual_share(const removal_limits& limits, const answer_counts& usual) noexcept;

[[nodiscard]] removal_judgement judge_removals(
    const removal_limits& limits, const removal_facts& facts) noexcept;

}  // namespace tocsin
