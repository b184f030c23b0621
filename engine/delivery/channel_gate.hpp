#pragma once

#include "engine/delivery/lane.hpp"
#include "engine/delivery/page.hpp"
#include "engine/delivery/provider.hpp"

namespace tocsin {

/// A lane as one channel sees it: when the provider is replaced, the old channel takes nothing more
/// and still brings home the answers that it waits for.
class channel_gate final : public push_source {
public:
    explicit channel_gate(lane& to) : line_(to) {}
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

private:
    lane& line_;
    bool open_ = true;
};

}  // namespace tocsin
