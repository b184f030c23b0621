#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace tocsin {

/// What the operating system knows about this process, under the names that Prometheus clients share.
struct process_metric {
    std::string_view name;
    bool counter;
    std::string_view help;
    /// Reads it from /proc; empty if the system does not tell.
    std::optional<double> (*read)();
};

[[nodiscard]] std::span<const process_metric> process_metric_table() noexcept;

}  // namespace tocsin
