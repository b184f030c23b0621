#pragma once

#include "engine/core/clock.hpp"
#include "providers/http2/client.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::http2 {

/// Short text kept in place; what does not fit is cut off.
template <std::size_t Capacity>
class inline_text {
    static_assert(Capacity < 256);

public:
    void assign(std::string_view text) noexcept {
        size_ = static_cast<std::uint8_t>(std::min(text.size(), Capacity));
        std::copy_n(text.data(), size_, bytes_.data());
    }
    void clear() noexcept { size_ = 0; }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

private:
    std::uint8_t size_ = 0;
    std::array<char, Capacity> bytes_;  // NOLINT: only the first size_ bytes are ever read.
};

/// One open stream: what is still to be sent of its request, and what has come of its answer.
struct stream_slot {
    client* who = nullptr;  ///< Null once nobody waits for the answer.
    void* context = nullptr;
    time_point submitted_at{};
    time_point written_at{};  ///< time_point{} until its frames were handed to the socket.
    std::int32_t id = 0;
    int status = 0;        ///< 0 until the answer's (or an interim answer's) header block began.
    bool waiting = false;  ///< In the submission_order: neither answered nor failed.
    bool final_status = false;

    std::array<std::string_view, 3> body;
    std::size_t part = 0;
    std::size_t offset = 0;  ///< Into body[part].

    std::string received;
    inline_text<63> content_type;
    inline_text<47> retry_after;
    inline_text<47> provider_id;

    stream_slot* older = nullptr;
    stream_slot* newer = nullptr;

    [[nodiscard]] bool body_sent() const noexcept { return part == body.size(); }
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
        return slot;
    }

    void give_back(stream_slot& slot) noexcept {
        slot.who = nullptr;
        slot.context = nullptr;
        slot.written_at = {};
        slot.id = 0;
        slot.status = 0;
        slot.final_status = false;
        slot.body = {};
        slot.part = 0;
        slot.offset = 0;
        slot.content_type.clear();
        slot.retry_after.clear();
        slot.provider_id.clear();
        if (slot.received.capacity() > kept_capacity) {
            std::string().swap(slot.received);  // One long error must not be paid for ever after.
        }
        slot.received.clear();
        free_.push_back(&slot);  // Room was reserved when the slot was made.
    }

    /// Open streams: taken and not given back.
    [[nodiscard]] std::size_t size() const noexcept { return chunks_.size() * chunk_size - free_.size(); }

private:
    static constexpr std::size_t chunk_size = 64;
    static constexpr std::size_t kept_capacity = 1024;

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

    [[nodiscard]] stream_slot* oldest() const noexcept { return oldest_; }
    [[nodiscard]] stream_slot* newest() const noexcept { return newest_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    stream_slot* oldest_ = nullptr;
    stream_slot* newest_ = nullptr;
    stream_slot* first_unwritten_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace tocsin::http2
