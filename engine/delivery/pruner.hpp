#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/platform/platform_traits.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// Takes dead devices out of the store and reports them on `feedback`.
///
/// A device that has registered again since its page was read is left alone. Each step can be
/// repeated: after a crash the event's `dead` hash says who is still to be done, and a report may
/// then come twice.
class pruner {
public:
    pruner(
        device_store& store, ledger& book, platform_set platforms, const time_source& time, logger& log,
        std::size_t feedback_length)
        : store_(store),
          book_(book),
          platforms_(platforms),
          time_(time),
          log_(log),
          feedback_length_(feedback_length) {}

    /// `dead` is encode_dead() and the provider's reason, as settled.
    boost::asio::awaitable<result<>> prune(
        std::string event, std::vector<std::pair<std::string, std::string>> dead);

private:
    device_store& store_;
    ledger& book_;
    platform_set platforms_;
    const time_source& time_;
    logger& log_;
    std::size_t feedback_length_;
};

}  // namespace tocsin
