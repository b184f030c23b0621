#pragma once

#include "engine/core/error.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::cli {

/// A dead letter: an entry that the engine could not accept.
struct letter {
    std::string id;      ///< Its own, on the stream of dead letters.
    std::string stream;  ///< Where the entry was,
    std::string entry;   ///< and its id there.
    std::string reason;
    std::string payload;  ///< Byte for byte as it was written.
    bool is_cut = false;  ///< The payload is only its beginning: the entry was too long for a letter.

    /// Whether it is about the event that its publisher knows by this id: the one that the document names,
    /// or else the entry's.
    [[nodiscard]] bool is_about_event(std::string_view event) const;
};

/// The newest letters, the newest first.
[[nodiscard]] boost::asio::awaitable<result<std::vector<letter>>> newest_letters(
    redis_session& redis, std::size_t limit);

/// Goes through all letters, the oldest first, a page at a time. At the end it waits for what comes: a
/// later call reads on from there, so looking again and again costs what is new.
class letter_reader {
public:
    /// `from`: the id of the first letter that may count; the default is the beginning.
    explicit letter_reader(redis_session& redis, std::string from = "-")
        : redis_(redis), from_(std::move(from)) {}

    /// Empty: there are no more for now.
    [[nodiscard]] boost::asio::awaitable<result<std::vector<letter>>> next();

private:
    redis_session& redis_;
    std::string from_;
};

/// Looks for the letter of an event that the engine did not accept.
class refusal_search {
public:
    /// `entry`: the event's entry, if it is known: only the letter of this very entry counts then. If it
    /// is empty, the last letter of an event with this id counts.
    refusal_search(redis_session& redis, std::string event, std::string entry);

    /// The letter, if there is one by now. A later call reads what has come since.
    [[nodiscard]] boost::asio::awaitable<result<std::optional<letter>>> look();

private:
    [[nodiscard]] bool is_it(const letter& one) const;

    redis_session& redis_;
    std::string event_;
    std::string entry_;
    letter_reader letters_;
    std::optional<letter> found_;
};

/// The letters with these ids, their own or their entry's.
struct found_letters {
    std::vector<letter> letters;       ///< Each once. Entries of two streams may have the same id.
    std::vector<std::string> missing;  ///< Ids that no letter has.
    /// Ids that one letter has, and the entry of another: with the latter's own.
    std::vector<std::pair<std::string, std::string>> ambiguous;
};
[[nodiscard]] boost::asio::awaitable<result<found_letters>> find_letters(
    redis_session& redis, std::vector<std::string> ids);

}  // namespace tocsin::cli
