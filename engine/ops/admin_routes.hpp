#pragma once

#include "engine/ops/admin_server.hpp"
#include "engine/ops/health.hpp"
#include "engine/ops/metrics.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace tocsin {

/// {verdict: bool, "checks": [{"name", "ok", "problem"}]}: what /livez and /readyz answer.
[[nodiscard]] boost::json::object health_document(std::string_view verdict, const health_report& report);

/// GET /livez and /readyz: {"live" or "ready": bool, "checks": [{"name", "ok", "problem"}]}, with status
/// 503 when something is wrong. GET /metrics: the Prometheus text format. Both must outlive the server.
void add_standard_routes(admin_server& server, const health& checks, const metrics& numbers);

}  // namespace tocsin
