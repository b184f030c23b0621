#include "engine/delivery/lane_channels.hpp"

#include "engine/delivery/page.hpp"

#include <string_view>
#include <utility>

namespace tocsin {

/// A channel, and the lane as it sees it.
class lane_channels::gated_channel final : public push_source {
public:
    gated_channel(lane& from, provider& to, const channel_context& where)
        : line_(from),
          out_(to.open({where.executor, where.thread, where.time, where.log, where.metrics, *this})) {}

    [[nodiscard]] push* take(time_point now) noexcept override { return open_ ? line_.take(now) : nullptr; }
    [[nodiscard]] bool urgent() const noexcept override { return open_ && line_.urgent(); }
    [[nodiscard]] bool wanted(const push& item, time_point now) const noexcept override {
        return line_.wanted(item, now);
    }
    [[nodiscard]] std::size_t backlog(duration within) const noexcept override {
        return open_ ? line_.backlog(within) : 0;
    }
    void settle(push& item, const verdict& what, time_point now) noexcept override {
        if (const auto& fresh = item.owner->from()->content; !open_ && fresh != nullptr) {
            item.owner->replace_content(item, *fresh);
        }
        line_.answered(item, what, now, !open_);
    }
    void refuse_credential(std::string_view reason, time_point now) noexcept override {
        if (open_) {
            line_.refuse_credential(reason, now);
        }
    }

    void close() noexcept { open_ = false; }
    [[nodiscard]] channel& out() const noexcept { return *out_; }

private:
    lane& line_;
    bool open_ = true;
    std::unique_ptr<channel> out_;  // The first to go: it may still ask.
};

lane_channels::lane_channels(lane& line, const channel_context& where) : line_(line), where_(where) {}

lane_channels::~lane_channels() = default;

channel* lane_channels::in_use() const noexcept {
    return now_ == nullptr ? nullptr : &now_->out();
}

void lane_channels::open(provider& to) {
    now_ = std::make_unique<gated_channel>(line_, to, where_);
}

void lane_channels::retire() {
    if (now_ != nullptr) {
        now_->close();
        replaced_.push_back(std::move(now_));
    }
}

void lane_channels::drop_retired() {
    std::erase_if(replaced_, [](const auto& old) { return old->out().statistics().in_flight == 0; });
}

void lane_channels::close() {
    now_.reset();
    replaced_.clear();
}

}  // namespace tocsin
