#pragma once

#include "engine/ops/admin_server.hpp"

namespace tocsin::cli {

/// The page for people at "/": its files, which the executable carries. Nothing in it comes from elsewhere,
/// and its Content-Security-Policy holds it to that.
void add_page_routes(admin_server& server);

}  // namespace tocsin::cli
