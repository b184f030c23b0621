#include "tools/simulator/recorder.hpp"

namespace tocsin::sim {

namespace json = boost::json;

void recorder::record(provider which, const request& asked, std::int64_t wall_ms) {
    json::array headers;
    for (const auto& [name, value] : asked.headers) {
        headers.push_back(json::array{name, value});
    }
    json::object document{
        {"provider", name_of(which)},
        {"at", wall_ms},
        {"stream", asked.stream},
        {"token", asked.token},
        {"headers", std::move(headers)},
        {"body", asked.body},
        {"status", reasons_of(which)[asked.reason].status},
        {"reason", reasons_of(which)[asked.reason].name}};
    const std::lock_guard lock(mutex_);
    entries_.push_front({which, std::move(document)});
    if (entries_.size() > limit_) {
        entries_.pop_back();
    }
}

json::array recorder::newest(std::optional<provider> which, std::size_t limit) const {
    json::array out;
    const std::lock_guard lock(mutex_);
    for (const entry& one : entries_) {
        if (out.size() == limit) {
            break;
        }
        if (!which || one.which == *which) {
            out.push_back(one.document);
        }
    }
    return out;
}

void recorder::clear() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
}

}  // namespace tocsin::sim
