#pragma once

#include "engine/ops/admin_server.hpp"
#include "engine/ops/health.hpp"
#include "engine/ops/metrics.hpp"

namespace tocsin {

/// GET /livez and /readyz: {"live" or "ready": bool, "checks": [{"name", "ok", "problem"}]}, with status
/// 503 when something is wrong. GET /metrics: the Prometheus text format. Both must outlive the server.
void add_standard_routes(admin_server& server, const health& checks, const metrics& numbers);

}  // namespace tocsin
