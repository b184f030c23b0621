#pragma once

#include "engine/delivery/push.hpp"

#include <cstddef>

namespace tocsin {

/// First in, first out, through the pushes themselves: nothing is allocated. A push stands in one
/// queue at a time.
class push_queue {
public:
    [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    void push_back(push& item) noexcept {
        ++size_;
        item.next = nullptr;
        (tail_ == nullptr ? head_ : tail_->next) = &item;
        tail_ = &item;
    }
    void push_front(push& item) noexcept {
        ++size_;
        item.next = head_;
        head_ = &item;
        tail_ = tail_ == nullptr ? &item : tail_;
    }
    /// Null if it is empty.
    push* pop_front() noexcept {
        push* const item = head_;
        if (item != nullptr) {
            --size_;
            head_ = item->next;
            tail_ = head_ == nullptr ? nullptr : tail_;
            item->next = nullptr;
        }
        return item;
    }

    template <class Do>
    void for_each(Do what) {
        for (push* item = head_; item != nullptr; item = item->next) {
            what(*item);
        }
    }
    /// One that is in it.
    void remove(push& item) noexcept {
        for (std::size_t left = size_; left != 0; --left) {
            push& first = *pop_front();
            if (&first != &item) {
                push_back(first);
            }
        }
    }

private:
    push* head_ = nullptr;
    push* tail_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace tocsin
