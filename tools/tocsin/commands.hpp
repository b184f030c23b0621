#pragma once

#include "tools/tocsin/options.hpp"

// One function a command, one file a function. Each returns what the process exits with.

namespace tocsin::cli {

[[nodiscard]] int run(const common_options& common, const serve_options& how);
[[nodiscard]] int run(const common_options& common, const publish_options& how);
[[nodiscard]] int run(const common_options& common, const send_options& how);
[[nodiscard]] int run(const common_options& common, const status_options& how);
[[nodiscard]] int run(const common_options& common, const report_options& how);
[[nodiscard]] int run(const common_options& common, const cancel_options& how);
[[nodiscard]] int run(const common_options& common, const hold_options& how);
[[nodiscard]] int run(const common_options& common, const rate_options& how);
[[nodiscard]] int run(const common_options& common, const devices_options& how);
[[nodiscard]] int run(const common_options& common, const dead_letters_options& how);
[[nodiscard]] int run(const common_options& common, const check_config_options& how);
[[nodiscard]] int run(const common_options& common, const sim_options& how);
[[nodiscard]] int run(const common_options& common, const demo_options& how);
[[nodiscard]] int run(const common_options& common, const bench_options& how);
[[nodiscard]] int run(const common_options& common, const bench_compare_options& how);

}  // namespace tocsin::cli
