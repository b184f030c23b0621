#include "engine/ops/admin_router.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace tocsin {

void admin_router::add(
    std::string_view method, std::string_view path, admin_handler handler, admin_share share) {
    routes_.push_back({std::string(method), std::string(path), std::move(handler), share});
}

admin_router::match admin_router::find(std::string_view method, std::string_view path) const {
    match out;
    for (const route& each : routes_) {
        if (each.fits(path)) {
            out.prefix = std::max(out.prefix, each.path.size());
        }
    }
    std::set<std::string_view> methods;
    for (const route& each : routes_) {
        if (each.path.size() == out.prefix && each.fits(path)) {
            methods.insert(each.method);
            if (each.method == method) {
                out.handler = &each.handler;
                out.share = each.share;
            }
        }
    }
    if (methods.contains("GET")) {
        methods.insert("HEAD");
    }
    for (const std::string_view each : methods) {
        out.allowed += (out.allowed.empty() ? "" : ", ") + std::string(each);
    }
    return out;
}

}  // namespace tocsin
