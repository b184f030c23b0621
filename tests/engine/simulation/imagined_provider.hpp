#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/provider.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace tocsin::testing {

/// The sending side of one lane: takes what it is offered and answers what it is told to answer.
class imagined_channel final : public channel {
public:
    imagined_channel(push_source& from, std::vector<imagined_channel*>& list) : from_(from), list_(list) {
        list_.push_back(this);
    }
    imagined_channel(const imagined_channel&) = delete;
    imagined_channel& operator=(const imagined_channel&) = delete;
    ~imagined_channel() override { std::erase(list_, this); }

    void wake() override { awake_ = true; }
    [[nodiscard]] channel_statistics statistics() const override {
        channel_statistics out = connections;
        out.in_flight = in_flight_.size();
        return out;
    }

    /// What statistics() says of them.
    channel_statistics connections;

    /// As a connection does, it only asks when it was woken or has heard an answer, and until there is
    /// nothing.
    [[nodiscard]] bool may_take() const noexcept { return awake_; }
    /// Null if there is nothing.
    push* take(time_point now) {
        push* const item = from_.take(now);
        if (item == nullptr) {
            awake_ = false;
        } else {
            in_flight_.push_back(item);
        }
        return item;
    }

    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_.size(); }
    [[nodiscard]] push& at(std::size_t index) const { return *in_flight_[index]; }
    void answer(std::size_t index, const verdict& what, time_point now) {
        push* const item = in_flight_[index];
        in_flight_.erase(in_flight_.begin() + static_cast<std::ptrdiff_t>(index));
        awake_ = true;
        from_.settle(*item, what, now);
    }

private:
    push_source& from_;
    std::vector<imagined_channel*>& list_;
    std::vector<push*> in_flight_;
    bool awake_ = false;
};

/// One app on one platform, whose channels stand in a list for the simulation to work on.
class imagined_provider final : public provider {
public:
    imagined_provider(platform on, std::vector<imagined_channel*>& channels) : on_(on), channels_(channels) {}

    [[nodiscard]] const std::string& app() const noexcept override { return app_; }
    [[nodiscard]] platform kind() const noexcept override { return on_; }
    [[nodiscard]] parsed<std::shared_ptr<const message>> render(const publish_event&) const override {
        return std::shared_ptr<const message>(std::make_shared<one_text>());
    }
    [[nodiscard]] std::unique_ptr<channel> open(const channel_context& context) override {
        return std::make_unique<imagined_channel>(context.source, channels_);
    }
    [[nodiscard]] credential_state credential() const override { return {}; }
    [[nodiscard]] std::string explain(std::uint16_t, std::string_view) const override { return {}; }

private:
    class one_text final : public message {
    public:
        [[nodiscard]] std::uint16_t variant_for(std::string_view) const noexcept override { return 0; }
        [[nodiscard]] std::size_t largest_payload() const noexcept override { return 1; }
    };

    const std::string app_ = "mairies";
    platform on_;
    std::vector<imagined_channel*>& channels_;
};

}  // namespace tocsin::testing
