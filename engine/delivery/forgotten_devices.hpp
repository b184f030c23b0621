#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/text_hash.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace tocsin {

/// Devices that were taken out of the store while pushes for them may wait, until nothing can wait for
/// them any more. Holds no clock.
class forgotten_devices {
public:
    void add(std::string_view token, time_point now) { known_.insert_or_assign(std::string(token), now); }

    /// Whether what was read at `read_at` is for a device that was forgotten since. A page that was read
    /// later shows whether the device has come back.
    [[nodiscard]] bool contains(std::string_view token, time_point read_at) const noexcept {
        if (known_.empty()) {
            return false;
        }
        const auto found = known_.find(token);
        return found != known_.end() && found->second >= read_at;
    }

    /// True from time to time while there are any: what waits is to be looked through, then the oldest
    /// may be dropped.
    [[nodiscard]] bool due(time_point now) noexcept {
        const bool due = !known_.empty() && now >= next_look_;
        next_look_ = due ? now + kept_for / 4 : next_look_;
        return due;
    }
    void drop_oldest(time_point now) {
        boost::unordered::erase_if(known_, [now](const auto& one) { return now - one.second > kept_for; });
    }

private:
    static constexpr std::chrono::minutes kept_for{10};

    boost::unordered_flat_map<std::string, time_point, text_hash, std::equal_to<>> known_;
    time_point next_look_{};
};

}  // namespace tocsin
