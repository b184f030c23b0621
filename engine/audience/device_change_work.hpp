#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/audience/roster_codec.hpp"
#include "engine/core/digest.hpp"
#include "engine/platform/platform.hpp"

#include <set>
#include <string>
#include <vector>

namespace tocsin {

/// The changes of one apply(), with the heads that they are computed from. Heads belong to the batch: Redis
/// may be another one, or an older one, at the next, and what one batch forgets, another is in the middle of
/// using.
///
/// On one server the script compares the heads with what Redis holds as it writes. On a cluster they are in
/// another slot, so each batch reads them itself.
class device_store::change_batch {
public:
    change_batch(device_store& store, std::vector<device_change>& changes)
        : store_(store), work_(changes.size()) {
        for (std::size_t i = 0; i < changes.size(); ++i) {
            work_[i].change = &changes[i];
            work_[i].hash = hash_token(changes[i].which.token);
            if (work_[i].is_guarded_put()) {
                work_[i].expected = encode_follows(changes[i].following);
                work_[i].before = changes[i].following;
            }
        }
    }

    boost::asio::awaitable<result<std::vector<applied>>> apply();

private:
    /// One change on its way into the store.
    struct pending {
        device_change* change = nullptr;
        token_hash hash;
        std::string expected;  ///< What the index said last; empty: nothing.
        std::vector<territory> before;
        bool done = false;
        change_outcome outcome = change_outcome::absent;

        [[nodiscard]] bool is_put() const noexcept { return change->what == device_change::action::put; }
        /// It must not bring back what was removed meanwhile.
        [[nodiscard]] bool is_guarded_put() const noexcept {
            return is_put() && change->only_if_entry.has_value();
        }
        /// Who is there stays as it is.
        [[nodiscard]] bool must_be_new() const noexcept { return is_put() && change->only_if_absent; }
    };
    struct placement;
    struct script_calls;
    struct step_work;
    struct head_question;

    /// Those that rely on a head that cannot be read are done with.
    boost::asio::awaitable<result<>> learn_heads();
    /// Asks for a head that nobody here knows yet; with `buckets`, it is made if there is none.
    void ask_for_head(
        head_question& what, const std::string& app, const std::string& field, std::uint32_t buckets);
    void ask_for_heads(head_question& what, const pending& item);
    [[nodiscard]] static std::string cache_key(std::string_view app, std::string_view field);
    [[nodiscard]] static bool relies_on(const pending& item, const std::set<std::string>& heads);
    [[nodiscard]] std::optional<roster_head> known_head(
        std::string_view app, platform on, const territory& where) const;
    void forget_heads(const std::string& app);

    boost::asio::awaitable<result<>> run_pass();
    [[nodiscard]] std::optional<placement> place_of(const pending& item, const territory& where) const;
    /// False if nobody has ever registered with the app.
    [[nodiscard]] bool add_call(script_calls& calls, const pending& item, std::size_t number) const;
    [[nodiscard]] result<> take_answer(const redis::reply& answer, const std::vector<std::size_t>& sent);

    boost::asio::awaitable<result<>> apply_in_steps();
    /// The first change of each device that is not done, as many as go at once.
    [[nodiscard]] std::vector<step_work> next_steps();
    boost::asio::awaitable<result<>> take_steps(std::vector<step_work>& steps);
    boost::asio::awaitable<result<>> claim(std::vector<step_work>& steps);
    boost::asio::awaitable<result<>> spare_the_changed(std::vector<step_work>& steps);
    boost::asio::awaitable<result<>> write_ahead(std::vector<step_work>& steps);
    boost::asio::awaitable<result<>> write_rosters(std::vector<step_work>& steps);
    boost::asio::awaitable<result<>> confirm_heads(std::vector<step_work>& steps);
    boost::asio::awaitable<result<>> conclude(std::vector<step_work>& steps);
    [[nodiscard]] std::optional<std::string> roster_key(const pending& item, const territory& where) const;
    [[nodiscard]] std::optional<std::string> index_key(const pending& item) const;

    device_store& store_;
    std::vector<pending> work_;
    boost::unordered_flat_map<std::string, roster_head> heads_;
};

}  // namespace tocsin
