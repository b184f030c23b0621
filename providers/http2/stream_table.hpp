#pragma once

#include "engine/core/clock.hpp"
#include "providers/http2/answer.hpp"
#include "providers/http2/client.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace tocsin::http2 {

/// One open stream: whose it is, what is still to be sent of its request, and what has come of its answer.
/// An answer finds all that it needs on one cache line, which by then nobody has looked at for a round trip.
struct alignas(64) stream_slot {
    client* who = nullptr;  ///< Null once nobody waits for the answer.
    void* context = nullptr;
    /// What has come of the answer, from its first frame to its last; most often that is the same one.
    std::unique_ptr<answer> received;
    time_point written_at{};  ///< time_point{} until its frames were handed to the socket.
    stream_slot* older = nullptr;
    stream_slot* newer = nullptr;
    std::uint32_t id = 0;
    std::uint32_t unacknowledged = 0;  ///< DATA received since the last WINDOW_UPDATE for the stream.
    bool waiting = false;              ///< In the submission_order: neither answered nor failed.
    /// Of the body, what is not in frames yet, in request::body's parts; all empty once it is.
    bool body_sent = true;

    time_point submitted_at{};
    std::uint64_t begins_at = 0;  ///< Its first byte in all that the session has written.
    /// Flow control. The stream's window is the peer's initial one, plus `granted`, less `sent`.
    std::int64_t granted = 0;
    std::int64_t sent = 0;
    std::array<std::string_view, request::max_body_parts> body;
};

/// Slots with addresses that do not change, used again and again: after the first burst a
/// request allocates none.
class stream_table {
public:
    [[nodiscard]] stream_slot& take() {
        if (free_.empty()) {
            grow();
        }
        stream_slot& slot = *free_.back();
        free_.pop_back();
        slot.granted = 0;
        slot.sent = 0;
        return slot;
    }

    void give_back(stream_slot& slot) noexcept {
        slot.who = nullptr;
        slot.context = nullptr;
        slot.written_at = {};
        slot.body_sent = true;
        slot.unacknowledged = 0;
        free_.push_back(&slot);  // Room was reserved when the slot was made.
    }

private:
    static constexpr std::size_t chunk_size = 64;

    void grow() {
        free_.reserve((chunks_.size() + 1) * chunk_size);
        chunks_.push_back(std::make_unique<std::array<stream_slot, chunk_size>>());
        for (stream_slot& slot : *chunks_.back()) {
            free_.push_back(&slot);
        }
    }

    std::vector<std::unique_ptr<std::array<stream_slot, chunk_size>>> chunks_;
    std::vector<stream_slot*> free_;
};

/// The requests that wait for their answers, oldest first. The timeout is the same for all, so
/// the head is the next one due.
class submission_order {
public:
    void push_back(stream_slot& slot) noexcept {
        slot.waiting = true;
        slot.older = newest_;
        slot.newer = nullptr;
        (newest_ != nullptr ? newest_->newer : oldest_) = &slot;
        newest_ = &slot;
        if (first_unwritten_ == nullptr) {
            first_unwritten_ = &slot;
        }
        ++size_;
    }

    void remove(stream_slot& slot) noexcept {
        if (first_unwritten_ == &slot) {
            first_unwritten_ = slot.newer;
        }
        (slot.older != nullptr ? slot.older->newer : oldest_) = slot.newer;
        (slot.newer != nullptr ? slot.newer->older : newest_) = slot.older;
        slot.older = nullptr;
        slot.newer = nullptr;
        slot.waiting = false;
        --size_;
    }

    void mark_written(time_point now) noexcept {
        for (; first_unwritten_ != nullptr; first_unwritten_ = first_unwritten_->newer) {
            first_unwritten_->written_at = now;
        }
    }

    /// What was handed to the socket, from that byte on, was not after all.
    void take_back(std::uint64_t from) noexcept {
        for (stream_slot* slot = newest_; slot != nullptr && slot->begins_at >= from; slot = slot->older) {
            slot->written_at = {};
        }
    }

    [[nodiscard]] stream_slot* oldest() const noexcept { return oldest_; }
    /// True if a request waits to be handed to the socket.
    [[nodiscard]] bool has_unwritten() const noexcept { return first_unwritten_ != nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    stream_slot* oldest_ = nullptr;
    stream_slot* newest_ = nullptr;
    stream_slot* first_unwritten_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace tocsin::http2
