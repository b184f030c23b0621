#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

// All that is printed passes through here, and nothing of it moves a cursor or turns text around: what is
// unprintable stands as an escape, whoever wrote it.

/// "tocsin: message" on standard error, on one line.
void complain(std::string_view message);

/// Text on standard output, with a newline; line ends in it are kept. False if it could not be written:
/// end_of_output() will say so, and a loop may stop.
bool print(std::string_view text);
bool print_json(const boost::json::value& value);
/// A document for other programs, byte for byte: the one thing that is printed as it is. What strangers wrote
/// in it is made harmless by whoever makes it.
bool print_document(std::string_view bytes);
/// A piece of foreign text that must not begin a line of its own.
[[nodiscard]] std::string shown(std::string_view text);
/// Empties the terminal.
void clear_screen();

/// True once something could not be written: to print more is of no use.
[[nodiscard]] bool output_failed() noexcept;
/// What the process exits with: `code`, or 1 after a word on standard error if standard output took less than
/// what was printed. A reader that left is no failure, and is not told.
[[nodiscard]] int end_of_output(int code);
/// What `work` returns, or the code of the command_end that it threw, after telling why.
[[nodiscard]] int run_to_end(const std::function<int()>& work);
/// Makes sure that the standard descriptors are taken: otherwise a socket could get the number of a closed
/// standard output, and what is printed would go there.
void keep_standard_descriptors() noexcept;

[[nodiscard]] bool stderr_is_terminal() noexcept;
[[nodiscard]] bool stdout_is_terminal() noexcept;
/// Colour on standard output: a terminal, and NO_COLOR unset.
[[nodiscard]] bool colour() noexcept;

enum class ink { plain, bold, green, red, yellow, dim };
/// `text`, which must not begin a line of its own, in that ink if colour(), else as it is.
[[nodiscard]] std::string inked(ink how, std::string_view text);

/// One line on standard error that is drawn over and over; nothing unless that is a terminal.
class progress_line {
public:
    progress_line() = default;
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;
    ~progress_line() { clear(); }
    void show(std::string_view text);
    void clear();
    /// "[██████░░░░]" of a share between 0 and 1.
    [[nodiscard]] static std::string bar(double share, std::size_t width = 28);

private:
    bool drawn_ = false;
};

/// Characters that a terminal shows, for UTF-8 without wide or combining ones.
[[nodiscard]] std::size_t shown_width(std::string_view text) noexcept;

/// A table in columns as wide as their widest cell (in characters, not bytes).
class table {
public:
    explicit table(std::vector<std::string> heads) : rows_{std::move(heads)} {}
    void add(std::vector<std::string> cells);
    /// The first column flush left, the others flush right.
    [[nodiscard]] std::string text() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

/// 1234567 as "1 234 567".
[[nodiscard]] std::string grouped(std::uint64_t number);
/// Milliseconds as a person says them: "850 ms", "12.3 s".
[[nodiscard]] std::string spoken_ms(double ms);
/// {"rate": 0.912, "engine": 0.088} as "rate 91 %, engine 9 %": the largest first, without what is below
/// a half per cent.
[[nodiscard]] std::string spoken_shares(const boost::json::object& shares);

}  // namespace tocsin::cli
