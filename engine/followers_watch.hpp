#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/event_preparer.hpp"

#include <boost/asio/awaitable.hpp>

#include <map>
#include <string>

namespace tocsin {

/// Says which devices follow communes that the territories do not have, because they merged, say: no event is
/// for those, so nobody would be reached by them, and nobody would notice.
class followers_watch {
public:
    followers_watch(device_store& store, const event_preparer& known, logger& log, metrics_shard& numbers)
        : store_(store), known_(known), log_(log), numbers_(numbers) {}

    /// Counts them for every app, sets the metric, and logs what is new: when it is due, at first and then
    /// every ten minutes. As long as Redis does not answer it is due again at the next call.
    boost::asio::awaitable<void> look(time_point now);

private:
    void tell(const target& which, const std::vector<device_store::roster_size>& found);

    device_store& store_;
    const event_preparer& known_;
    logger& log_;
    metrics_shard& numbers_;
    time_point due_ = time_point::min();
    std::map<target, std::string> told_;  ///< What the log was told of last.
};

}  // namespace tocsin
