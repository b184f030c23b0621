#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/ops/log_format.hpp"
#include "engine/ops/settings.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace tocsin {

struct log_sink_options {
    log_level level = log_level::info;
    log_format format = log_format::json;
    int descriptor = 2;  ///< Where lines go; not closed.
    /// How long the end waits for a reader that takes nothing; what is left then is dropped.
    std::chrono::milliseconds farewell{1'000};
    std::uint32_t lines_per_second = 20;  ///< Of one event; what comes on top is counted, not written.
};

/// What `[log]` means for `descriptor`: "auto" is text on a terminal and JSON elsewhere, and colour
/// is for terminals whose user has not set NO_COLOR.
[[nodiscard]] log_sink_options log_options_for(const log_settings& chosen, int descriptor, bool no_colour);

/// The log of the process. Lines are formatted by the caller and written by a thread of its own, so
/// a slow terminal or a full pipe holds nobody up: behind a bounded queue the oldest lines give way.
///
/// Thread-safe. An event that comes more often than `lines_per_second` is cut, and a line
/// "log.suppressed" tells how many lines of which event are missing; the destructor tells the rest
/// and waits until everything is written, or until nothing could be written for `farewell`.
class log_sink final : public logger {
public:
    /// `time` must outlive this.
    log_sink(const log_sink_options& options, const time_source& time);
    log_sink(const log_sink&) = delete;
    log_sink& operator=(const log_sink&) = delete;
    ~log_sink() override;

    [[nodiscard]] bool enabled(log_level level) const noexcept override;
    void write(log_level level, std::string_view event, std::span<const log_field> fields) noexcept override;

    /// The process begins to end: the time of `farewell` runs from now on, so that a reader that takes
    /// nothing is waited for while others end, and not after them.
    void expect_end() noexcept;

    /// For a reload of the configuration.
    void set_level(log_level level) noexcept;

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

/// The level that `[log] level` names; info for a word that is none, which load_config() refuses.
[[nodiscard]] log_level log_level_from(std::string_view name) noexcept;

}  // namespace tocsin
