#pragma once

#include "tools/simulator/http1.hpp"
#include "tools/simulator/simulator.hpp"

namespace tocsin::sim {

/// The control port's API, JSON in and out:
///
///     GET  /healthz
///     GET  /stats
///     GET  /tokens?platform=apns|sandbox|fcm|webpush&token=…
///     POST /tokens         {"platform", "tokens": […]}
///     GET  /received?platform=…&limit=n
///     GET  /screen?platform=…&token=…
///     GET  /behaviour      POST /behaviour
///     POST /reset
class control_endpoint final : public http_handler {
public:
    explicit control_endpoint(simulator& controlled) noexcept : simulator_(controlled) {}
    http_reply handle(const http_call& call) override;

private:
    [[nodiscard]] http_reply get(const http_call& call) const;
    [[nodiscard]] http_reply token(const http_call& call) const;
    [[nodiscard]] http_reply tokens(const boost::json::value& document) const;
    [[nodiscard]] http_reply received(const http_call& call) const;
    [[nodiscard]] http_reply screen(const http_call& call) const;
    [[nodiscard]] http_reply subscriptions(const http_call& call) const;

    simulator& simulator_;
};

}  // namespace tocsin::sim
