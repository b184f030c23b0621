#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/push.hpp"
#include "providers/webpush/encryption.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

namespace tocsin::webpush {

/// A message that is on its way: no two have one body, and each must stay until it is answered.
struct sent_message {
    push* item = nullptr;
    wall_time token_issued_at{};  ///< Of the token it was sent with.
    std::size_t size = 0;
    std::array<unsigned char, largest_body> body;  // NOLINT: only the first `size` bytes are ever read.

    [[nodiscard]] std::string_view text() const noexcept {
        return {reinterpret_cast<const char*>(body.data()), size};
    }
};

/// Room for messages, used again and again. Grows to what is in flight at once, and no further than `most`.
class body_store {
public:
    static constexpr std::size_t most = 8'192;

    /// Null if there is no more room.
    [[nodiscard]] sent_message* take() noexcept {
        if (free_.empty() && !grow()) {
            return nullptr;
        }
        sent_message* const out = free_.back();
        free_.pop_back();
        return out;
    }
    void give_back(sent_message& used) noexcept {
        used.item = nullptr;
        free_.push_back(&used);  // There is room: grow() has seen to it.
    }

private:
    [[nodiscard]] bool grow() noexcept {
        if (all_.size() == most) {
            return false;
        }
        try {
            if (free_.capacity() == all_.size()) {
                free_.reserve(2 * all_.size() + 1);  // All of them may come back.
            }
            all_.push_back(std::make_unique_for_overwrite<sent_message>());
            free_.push_back(all_.back().get());
        } catch (const std::bad_alloc&) {
            return false;
        }
        return true;
    }

    std::vector<std::unique_ptr<sent_message>> all_;
    std::vector<sent_message*> free_;
};

}  // namespace tocsin::webpush
