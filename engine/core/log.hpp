#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace tocsin {

enum class log_level : std::uint8_t { debug, info, warning, error };

/// One key=value of a log line.
struct log_field {
    std::string_view key;
    std::string value;
    bool number = false;

    log_field(std::string_view name, std::string_view text) : key(name), value(text) {}
    log_field(std::string_view name, const std::string& text) : key(name), value(text) {}
    log_field(std::string_view name, const char* text) : key(name), value(text) {}
    template <std::integral T>
    log_field(std::string_view name, T amount) : key(name), value(std::to_string(amount)), number(true) {}
    log_field(std::string_view name, double amount)
        : key(name), value(std::to_string(amount)), number(true) {}
};

/// Where lines of the log go. Thread-safe; never called once per push.
///
/// `event` is a fixed dotted name that a search finds ("shard.taken_over"); everything that varies
/// is a field. Device tokens go through shorten_token() first, payloads never appear.
class logger {
public:
    virtual ~logger() = default;
    [[nodiscard]] virtual bool enabled(log_level level) const noexcept = 0;
    virtual void write(
        log_level level, std::string_view event, std::span<const log_field> fields) noexcept = 0;

    void debug(std::string_view event, std::initializer_list<log_field> fields = {}) noexcept {
        write(log_level::debug, event, {fields.begin(), fields.size()});
    }
    void info(std::string_view event, std::initializer_list<log_field> fields = {}) noexcept {
        write(log_level::info, event, {fields.begin(), fields.size()});
    }
    void warning(std::string_view event, std::initializer_list<log_field> fields = {}) noexcept {
        write(log_level::warning, event, {fields.begin(), fields.size()});
    }
    void error(std::string_view event, std::initializer_list<log_field> fields = {}) noexcept {
        write(log_level::error, event, {fields.begin(), fields.size()});
    }
};

/// For tools and tests that want silence.
class null_logger final : public logger {
public:
    [[nodiscard]] bool enabled(log_level) const noexcept override { return false; }
    void write(log_level, std::string_view, std::span<const log_field>) noexcept override {}
};

/// The first and last four characters of a device token: enough to recognise it, not to use it.
[[nodiscard]] std::string shorten_token(std::string_view token);

}  // namespace tocsin
