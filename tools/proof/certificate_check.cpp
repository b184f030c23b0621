#include "tools/proof/certificate_check.hpp"

#include "engine/core/digest.hpp"

#include <algorithm>
#include <map>

namespace tocsin::proof {
namespace {

constexpr std::size_t most_differences = 100;
constexpr std::size_t longest_quote = 80;

/// What is shown, by its name: the texts of the elements that carry one, in the order of the file. A name may
/// be shown more than once.
std::multimap<std::string, std::string> values_in(std::string_view page) {
    constexpr std::string_view mark = " data-of=\"";
    std::multimap<std::string, std::string> out;
    for (std::size_t at = page.find(mark); at != std::string_view::npos; at = page.find(mark, at)) {
        at += mark.size();
        const std::size_t quote = page.find('"', at);
        const std::size_t begin = page.find('>', at);
        const std::size_t end = page.find('<', at);
        if (quote == std::string_view::npos || begin == std::string_view::npos ||
            end == std::string_view::npos || end < begin) {
            continue;
        }
        out.emplace(page.substr(at, quote - at), page.substr(begin + 1, end - begin - 1));
    }
    return out;
}

std::string without_returns(std::string_view text) {
    std::string out(text);
    std::erase(out, '\r');
    while (out.ends_with('\n')) {
        out.pop_back();
    }
    return out;
}

std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view out = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return out;
}

/// The part of a line around its first byte that differs.
std::string around(std::string_view line, std::size_t at) {
    const std::size_t begin = at < longest_quote / 2 ? 0 : at - longest_quote / 2;
    return std::string(line.substr(begin, longest_quote));
}

certificate_difference first_line_apart(std::string_view file, std::string_view expected) {
    for (std::size_t number = 1;; ++number) {
        const std::string_view have = take_line(file);
        const std::string_view want = take_line(expected);
        if (have != want || (file.empty() != expected.empty())) {
            const auto apart = static_cast<std::size_t>(std::ranges::mismatch(have, want).in1 - have.begin());
            return {"line " + std::to_string(number), around(have, apart), around(want, apart)};
        }
    }
}

}  // namespace

std::vector<certificate_difference> compare_certificates(std::string_view file, std::string_view expected) {
    const std::string have = without_returns(file);
    const std::string want = without_returns(expected);
    std::vector<certificate_difference> out;
    if (have == want) {
        return out;
    }
    const auto shown = values_in(have);
    const auto wanted = values_in(want);
    for (auto at = wanted.begin(); at != wanted.end() && out.size() < most_differences;) {
        const auto [begin, end] = shown.equal_range(at->first);
        auto other = begin;
        const std::string name = at->first;
        for (; at != wanted.end() && at->first == name; ++at) {
            const std::string text = other == end ? std::string() : (other++)->second;
            if (text != at->second) {
                out.push_back({name, text, at->second});
            }
        }
    }
    if (out.empty()) {
        out.push_back(first_line_apart(have, want));
    }
    return out;
}

std::string certificate_digest(std::string_view file) {
    return sha256_hex(without_returns(file));
}

std::vector<certificate_difference> check_certificate(std::string_view file, const certificate_subject& now) {
    const auto stamp = stamp_in(file);
    if (!stamp) {
        return {{"file", "", "a certificate that tocsin report has made"}};
    }
    return compare_certificates(file, certificate_page(as_stamped(now, *stamp), *stamp));
}

}  // namespace tocsin::proof
