#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

/// "tocsin: message" on standard error.
void complain(std::string_view message);

/// On standard output, with a newline. False if nobody reads any more.
bool print(std::string_view text);
bool print_json(const boost::json::value& value);

[[nodiscard]] bool stderr_is_terminal() noexcept;
[[nodiscard]] bool stdout_is_terminal() noexcept;
/// Colour on standard output: a terminal, and NO_COLOR unset.
[[nodiscard]] bool colour() noexcept;

enum class ink { plain, bold, green, red, yellow, dim };
/// `text` in that ink if colour(), else as it is.
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
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
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
