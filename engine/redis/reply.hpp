#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::redis {

enum class reply_type : std::uint8_t { nil, string, status, error, integer, array };

/// One reply, or one element of an array reply. A view into its `replies`.
class reply {
public:
    [[nodiscard]] reply_type type() const noexcept;
    [[nodiscard]] bool is_nil() const noexcept { return type() == reply_type::nil; }
    [[nodiscard]] bool is_error() const noexcept { return type() == reply_type::error; }
    [[nodiscard]] bool is_array() const noexcept { return type() == reply_type::array; }
    /// The bytes of a string, status or error; empty for anything else.
    [[nodiscard]] std::string_view text() const noexcept;
    /// An integer reply, or a string that is one; empty for anything else.
    [[nodiscard]] std::optional<std::int64_t> integer() const noexcept;
    /// The number of elements of an array; 0 for anything else.
    [[nodiscard]] std::size_t size() const noexcept;
    /// Element `index`, which must be below size(). Constant time.
    [[nodiscard]] reply operator[](std::size_t index) const noexcept;
    /// In an array of names and values in turn: the value behind the first such name.
    [[nodiscard]] std::optional<reply> field(std::string_view name) const noexcept;
    /// The texts of all elements.
    [[nodiscard]] std::vector<std::string> texts() const;

private:
    friend class replies;
    friend class reply_reader;
    friend class reply_merger;
    struct node {
        reply_type type = reply_type::nil;
        std::int64_t integer = 0;
        std::size_t offset = 0;  ///< Strings: into the text arena. Arrays: into the table of children.
        std::size_t length = 0;  ///< Bytes of a string, elements of an array.
    };
    struct storage {
        std::vector<node> nodes;
        std::vector<std::uint32_t> children;  ///< Node numbers of array elements, a contiguous run an array.
        std::string text;
    };

    reply(const storage& from, std::uint32_t index) noexcept : storage_(&from), index_(index) {}

    const storage* storage_;
    std::uint32_t index_;
};

/// The replies of one request, in one piece of memory. Move-only; views die with it.
class replies {
public:
    replies() = default;
    [[nodiscard]] std::size_t size() const noexcept { return roots_.size(); }
    [[nodiscard]] reply operator[](std::size_t index) const noexcept { return {storage_, roots_[index]}; }
    [[nodiscard]] reply front() const noexcept { return (*this)[0]; }
    [[nodiscard]] reply back() const noexcept { return (*this)[size() - 1]; }
    /// The first error among the first `count` replies, or nothing: for pipelines in which none is expected.
    [[nodiscard]] std::optional<std::string_view> first_error(std::size_t count = SIZE_MAX) const noexcept;

    replies(const replies&) = delete;
    replies& operator=(const replies&) = delete;
    replies(replies&&) noexcept = default;
    replies& operator=(replies&&) noexcept = default;

private:
    friend class reply_reader;
    friend class reply_merger;
    friend class pipeline;
    // The views point at storage_, so a view taken before a move of `replies` is invalid after it.
    reply::storage storage_;
    std::vector<std::uint32_t> roots_;
};

}  // namespace tocsin::redis
