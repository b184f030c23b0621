#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace tocsin {

/// Texts that live as long as it does, some hundred of them an allocation.
class text_arena {
public:
    /// The pieces, one behind the other.
    [[nodiscard]] std::string_view join(std::span<const std::string_view> pieces) {
        std::size_t size = 0;
        for (const std::string_view piece : pieces) {
            size += piece.size();
        }
        if (size > left_) {
            left_ = std::max(size, block_size);
            blocks_.push_back(std::make_unique_for_overwrite<char[]>(left_));
            at_ = blocks_.back().get();
        }
        const char* const begin = at_;
        for (const std::string_view piece : pieces) {
            at_ = std::ranges::copy(piece, at_).out;
        }
        left_ -= size;
        return {begin, size};
    }

private:
    static constexpr std::size_t block_size = std::size_t{32} * 1024;

    std::vector<std::unique_ptr<char[]>> blocks_;
    char* at_ = nullptr;
    std::size_t left_ = 0;
};

}  // namespace tocsin
