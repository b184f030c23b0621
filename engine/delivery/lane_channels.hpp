#pragma once

#include "engine/delivery/lane.hpp"
#include "engine/delivery/provider.hpp"

#include <memory>
#include <vector>

namespace tocsin {

/// The channel that a lane sends through, and those that were replaced: they take nothing more from the lane,
/// and still bring home the answers that they wait for. Belongs to one thread.
class lane_channels {
public:
    /// `line` outlives the channels, and `where` is what they live on.
    lane_channels(lane& line, const channel_context& where);
    lane_channels(const lane_channels&) = delete;
    lane_channels& operator=(const lane_channels&) = delete;
    ~lane_channels();

    void open(provider& to);
    /// The channel in use is replaced, and not by another one yet.
    void retire();
    /// Ends the replaced channels that have had their last answers.
    void drop_retired();
    /// Ends all channels, with or without their answers.
    void close();

    /// Null while there is none.
    [[nodiscard]] channel* in_use() const noexcept;
    void wake() const {
        if (channel* const out = in_use()) {
            out->wake();
        }
    }
    /// More work is on its way: a time to connect.
    void prepare() const {
        if (channel* const out = in_use()) {
            out->prepare();
        }
    }

private:
    class gated_channel;

    lane& line_;
    channel_context where_;
    std::unique_ptr<gated_channel> now_;
    std::vector<std::unique_ptr<gated_channel>> replaced_;
};

}  // namespace tocsin
