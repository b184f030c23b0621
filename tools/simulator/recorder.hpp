#pragma once

#include "tools/simulator/request.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>

namespace tocsin::sim {

/// The last requests in full, for whoever wants to look at what was really sent. Thread-safe.
class recorder {
public:
    explicit recorder(std::size_t limit) : limit_(limit) {}

    void record(provider which, const request& asked, std::int64_t wall_ms);

    /// The newest `limit` of one provider (or of all), newest first.
    [[nodiscard]] boost::json::array newest(std::optional<provider> which, std::size_t limit) const;
    void clear();

private:
    struct entry {
        provider which;
        boost::json::object document;
    };

    const std::size_t limit_;
    mutable std::mutex mutex_;
    std::deque<entry> entries_;  // Newest first.
};

}  // namespace tocsin::sim
