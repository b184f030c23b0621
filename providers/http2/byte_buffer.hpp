#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace tocsin::http2 {

/// Bytes on their way out. Unlike a string it does not clear what is about to be written over, and
/// keeps its room when it is emptied.
class byte_buffer {
public:
    explicit byte_buffer(std::size_t room) : bytes_(new char[room]), capacity_(room) {}

    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get(), size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    void clear() noexcept { size_ = 0; }

    /// Room for `count` more bytes, to be written to and then taken with advance(). Valid until the
    /// next call of room() or append().
    [[nodiscard]] char* room(std::size_t count) {
        if (capacity_ - size_ < count) {
            grow(count);
        }
        return bytes_.get() + size_;
    }
    void advance(std::size_t count) noexcept { size_ += count; }

    void append(std::string_view text) {
        if (!text.empty()) {
            std::memcpy(room(text.size()), text.data(), text.size());
            size_ += text.size();
        }
    }
    /// What was written at `at` before, to be changed.
    [[nodiscard]] char* at(std::size_t position) noexcept { return bytes_.get() + position; }

private:
    void grow(std::size_t count) {
        const std::size_t larger = std::max(2 * capacity_, size_ + count);
        std::unique_ptr<char[]> moved(new char[larger]);
        std::memcpy(moved.get(), bytes_.get(), size_);
        bytes_ = std::move(moved);
        capacity_ = larger;
    }

    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_;
    std::size_t size_ = 0;
};

}  // namespace tocsin::http2
