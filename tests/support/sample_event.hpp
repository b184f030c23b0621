#pragma once

#include "engine/core/rfc3339.hpp"
#include "engine/event/publish_event.hpp"

namespace tocsin::testing {

/// An event that uses every field of a notification.
inline publish_event flood_event() {
    publish_event event;
    event.id = "crue-ouche-2026-11-23";
    event.category = "alerte";
    event.priority = priority::critical;
    notification& shown = event.notification.emplace();
    shown.title = "Crue de l'Ouche";
    shown.subtitle = "Dijon";
    shown.body = "Évitez les quais.";
    shown.image = "https://example.fr/crue.jpg";
    shown.url = "https://example.fr/crue";
    shown.sound = "default";
    shown.badge = 1;
    shown.thread = "crue";
    event.data = {{"article", "1234"}};
    event.collapse_id = "crue-ouche";
    event.expires_at = *parse_rfc3339("2026-11-23T07:00:00Z");
    return event;
}

/// An event that shows nothing.
inline publish_event silent_event() {
    publish_event event;
    event.id = "sync";
    event.data = {{"sync", "1"}};
    event.expires_at = *parse_rfc3339("2026-11-23T07:00:00Z");
    return event;
}

}  // namespace tocsin::testing
