#pragma once

#include "engine/core/error.hpp"
#include "engine/event/publish_event.hpp"
#include "providers/webpush/message.hpp"

#include <memory>
#include <string>
#include <utility>

namespace tocsin::webpush {

/// Renders events for one app.
class renderer {
public:
    /// `url` is opened where an event names none.
    renderer(std::string app, std::string url) : app_(std::move(app)), url_(std::move(url)) {}

    [[nodiscard]] parsed<std::shared_ptr<const rendered_message>> render(const publish_event& event) const;

private:
    std::string app_;
    std::string url_;
};

}  // namespace tocsin::webpush
