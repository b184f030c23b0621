#pragma once

#include "engine/live/live_view.hpp"
#include "engine/ops/admin_server.hpp"

namespace tocsin {

/// GET /api/v1/status, /api/v1/events, /api/v1/events/{id} ("?communes=0" leaves their table out) and
/// /api/v1/stream (server-sent events, "event: status" once a second). `view` must outlive the server, and
/// live on its executor.
void add_live_routes(admin_server& server, live_view& view);

}  // namespace tocsin
