#include "tools/tocsin/console.hpp"

#include "engine/core/plain_json.hpp"
#include "engine/core/visible_text.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace tocsin::cli {
namespace {

/// The errno of the first write to standard output that failed. What belongs to stdout is as global as stdout
/// is.
int first_failure = 0;

void note_failure() noexcept {
    if (first_failure == 0) {
        first_failure = errno == 0 ? EIO : errno;
    }
}

bool write(std::string_view bytes) {
    errno = 0;
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size() || std::fflush(stdout) != 0) {
        note_failure();
    }
    return first_failure == 0;
}

// Inks travel through text as noncharacters, which made_visible() leaves in no foreign text.
constexpr char32_t first_mark = 0xFDD0;
constexpr auto sequences =
    std::to_array<std::string_view>({"\x1b[0m", "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[2m"});

std::string mark_of(ink how) {
    return std::string("\xEF\xB7") + static_cast<char>(0x90 + static_cast<int>(how));
}

/// Text as the terminal gets it: unprintable characters as escapes, marks as the sequences that they stand
/// for.
std::string painted(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto next = front_of(text);
        if (next && next->value >= first_mark && next->value < first_mark + sequences.size()) {
            out += colour() ? sequences[next->value - first_mark] : std::string_view();
            text.remove_prefix(next->size);
            continue;
        }
        // Up to the next character that could be a mark.
        const std::size_t end = std::min(text.find('\xEF', 1), text.size());
        out += made_visible(text.substr(0, end), "\n");
        text.remove_prefix(end);
    }
    return out;
}

}  // namespace

std::size_t shown_width(std::string_view text) noexcept {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

void complain(std::string_view message) {
    const std::string line = "tocsin: " + made_visible(message) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
}

bool print(std::string_view text) {
    return write(painted(text) + "\n");
}

bool print_json(const boost::json::value& value) {
    return write(printable_json(plain_json(value)) + "\n");
}

bool print_document(std::string_view bytes) {
    return write(std::string(bytes));
}

std::string shown(std::string_view text) {
    return made_visible(text);
}

void clear_screen() {
    write("\x1b[2J\x1b[H");
}

bool output_failed() noexcept {
    return first_failure != 0;
}

int end_of_output(int code) {
    if (std::fflush(stdout) != 0) {
        note_failure();
    }
    if (first_failure == 0 || first_failure == EPIPE) {
        return code;
    }
    complain("cannot write to standard output: " + std::generic_category().message(first_failure));
    return code == exit_ok ? int{exit_failed} : code;
}

int run_to_end(const std::function<int()>& work) {
    try {
        return work();
    } catch (const command_end& end) {
        if (*end.what() != '\0') {
            complain(end.what());
        }
        return end.code();
    }
}

void keep_standard_descriptors() noexcept {
    for (int at = STDIN_FILENO; at <= STDERR_FILENO; ++at) {
        if (::fcntl(at, F_GETFD) == -1) {
            // Takes `at`, the lowest number that is free, and like a closed descriptor fails whoever uses it.
            static_cast<void>(::open("/dev/null", at == STDIN_FILENO ? O_WRONLY : O_RDONLY));
        }
    }
}

bool stderr_is_terminal() noexcept {
    return isatty(STDERR_FILENO) == 1;
}

bool stdout_is_terminal() noexcept {
    return isatty(STDOUT_FILENO) == 1;
}

bool colour() noexcept {
    return stdout_is_terminal() && std::getenv("NO_COLOR") == nullptr;
}

std::string inked(ink how, std::string_view text) {
    if (!colour() || how == ink::plain) {
        return made_visible(text);
    }
    return mark_of(how) + made_visible(text) + mark_of(ink::plain);
}

void progress_line::show(std::string_view text) {
    if (!stderr_is_terminal() || std::getenv("NO_COLOR") != nullptr) {
        return;
    }
    const std::string line = fmt::format("\r\x1b[2K{}", made_visible(text));
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
    drawn_ = true;
}

void progress_line::clear() {
    if (drawn_) {
        std::fputs("\r\x1b[2K", stderr);
        std::fflush(stderr);
        drawn_ = false;
    }
}

std::string progress_line::bar(double share, std::size_t width) {
    const auto full = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
    std::string out = "[";
    for (std::size_t i = 0; i < width; ++i) {
        out += i < full ? "█" : "░";
    }
    return out + "]";
}

void table::add(std::vector<std::string> cells) {
    for (std::string& cell : cells) {
        cell = made_visible(cell);
    }
    rows_.push_back(std::move(cells));
}

std::string table::text() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], shown_width(row[i]));
        }
    }
    std::string out;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        std::string line;
        for (std::size_t i = 0; i < rows_[r].size(); ++i) {
            const std::string& cell = rows_[r][i];
            const std::string pad(widths[i] - shown_width(cell), ' ');
            line += i == 0 ? cell + pad : "  " + pad + cell;
        }
        out += (r == 0 ? inked(ink::bold, line) : line) + (r + 1 == rows_.size() ? "" : "\n");
    }
    return out;
}

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3; at -= 3) {
        digits.insert(at - 3, " ");
    }
    return digits;
}

std::string spoken_ms(double ms) {
    return ms < 1'000 ? fmt::format("{:.0f} ms", ms) : fmt::format("{:.1f} s", ms / 1'000);
}

std::string spoken_shares(const boost::json::object& shares) {
    std::vector<std::pair<double, std::string_view>> order;
    for (const auto& [name, share] : shares) {
        order.emplace_back(share.to_number<double>(), name);
    }
    std::ranges::stable_sort(order, std::ranges::greater(), &std::pair<double, std::string_view>::first);
    std::string out;
    for (const auto& [share, name] : order) {
        if (share >= 0.005) {
            out += fmt::format("{}{} {:.0f} %", out.empty() ? "" : ", ", name, share * 100);
        }
    }
    return out;
}

}  // namespace tocsin::cli
