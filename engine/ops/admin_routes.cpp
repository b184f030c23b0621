#include "engine/ops/admin_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string_view>
#include <utility>

namespace tocsin {
namespace {

admin_response answer(std::string_view verdict, const health_report& report) {
    admin_response out;
    out.status = report.good() ? 200 : 503;
    out.body = boost::json::serialize(health_document(verdict, report)) + "\n";
    return out;
}

}  // namespace

boost::json::object health_document(std::string_view verdict, const health_report& report) {
    boost::json::array checks;
    for (const auto& [name, problem] : report.lines) {
        boost::json::object check{{"name", name}, {"ok", problem.empty()}};
        if (!problem.empty()) {
            check["problem"] = problem;
        }
        checks.push_back(std::move(check));
    }
    boost::json::object body;
    body[boost::json::string_view(verdict.data(), verdict.size())] = report.good();
    body["checks"] = std::move(checks);
    return body;
}

void add_standard_routes(admin_server& server, const health& checks, const metrics& numbers) {
    server.route(
        "GET", "/livez", [&checks](const admin_request&) { return answer("live", checks.liveness()); },
        admin_share::health);
    server.route(
        "GET", "/readyz", [&checks](const admin_request&) { return answer("ready", checks.readiness()); },
        admin_share::health);
    server.route("GET", "/metrics", [&numbers](const admin_request&) {
        admin_response out;
        out.content_type = "text/plain; version=0.0.4; charset=utf-8";
        out.body = numbers.exposition();
        return out;
    });
}

}  // namespace tocsin
