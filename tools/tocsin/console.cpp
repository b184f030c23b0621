#include "tools/tocsin/console.hpp"

#include "engine/core/plain_json.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

namespace tocsin::cli {

std::size_t shown_width(std::string_view text) noexcept {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

void complain(std::string_view message) {
    std::string line = "tocsin: " + std::string(message) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
}

bool print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return std::fputc('\n', stdout) != EOF && std::fflush(stdout) == 0;
}

bool print_json(const boost::json::value& value) {
    return print(plain_json(value));
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
        return std::string(text);
    }
    const char* code = "0";
    switch (how) {
        case ink::plain: break;
        case ink::bold: code = "1"; break;
        case ink::green: code = "32"; break;
        case ink::red: code = "31"; break;
        case ink::yellow: code = "33"; break;
        case ink::dim: code = "2"; break;
    }
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

void progress_line::show(std::string_view text) {
    if (!stderr_is_terminal() || std::getenv("NO_COLOR") != nullptr) {
        return;
    }
    const std::string line = fmt::format("\r\x1b[2K{}", text);
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
