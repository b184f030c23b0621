#include "engine/audience/territories_csv.hpp"

#include "engine/event/refusal_codes.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

csv_reader::csv_reader(std::string_view text) noexcept : rest_(text) {
    if (rest_.starts_with(byte_order_mark)) {
        rest_.remove_prefix(byte_order_mark.size());
    }
}

parsed<std::string> csv_reader::quoted_field() {
    std::string field;
    rest_.remove_prefix(1);
    for (;;) {
        const std::size_t quote = rest_.find('"');
        if (quote == std::string_view::npos) {
            return refuse(
                refusal_code::invalid_territories_file,
                "line " + std::to_string(line_) + ": a quoted field is never closed");
        }
        next_line_ += static_cast<std::size_t>(
            std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(quote), '\n'));
        field += rest_.substr(0, quote);
        rest_.remove_prefix(quote + 1);
        if (!rest_.starts_with('"')) {
            return field;
        }
        field += '"';
        rest_.remove_prefix(1);
    }
}

parsed<std::optional<std::vector<std::string>>> csv_reader::next() {
    using record = std::optional<std::vector<std::string>>;
    line_ = next_line_;
    if (rest_.empty()) {
        return record();
    }
    std::vector<std::string> fields;
    for (;;) {
        if (rest_.starts_with('"')) {
            auto field = quoted_field();
            if (!field) {
                return std::move(field).error();
            }
            fields.push_back(std::move(*field));
        } else {
            const std::size_t end = std::min(rest_.find_first_of(",\r\n\""), rest_.size());
            fields.emplace_back(rest_.substr(0, end));
            rest_.remove_prefix(end);
        }
        if (rest_.starts_with(',')) {
            rest_.remove_prefix(1);
            continue;
        }
        if (rest_.starts_with("\r\n")) {
            rest_.remove_prefix(1);
        }
        if (rest_.empty() || rest_.front() == '\n') {
            break;
        }
        return refuse(
            refusal_code::invalid_territories_file,
            "line " + std::to_string(next_line_) +
                ": a field must end at a comma or at the end of the line; one that holds "
                "quotes is quoted as a whole");
    }
    if (!rest_.empty()) {
        rest_.remove_prefix(1);
        ++next_line_;
    }
    return record(std::move(fields));
}

}  // namespace tocsin
