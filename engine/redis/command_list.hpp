#pragma once

#include "engine/redis/request.hpp"

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace tocsin::redis {

/// The single commands of a request, to be put together anew for each node of a cluster.
class command_list {
public:
    explicit command_list(request what);

    [[nodiscard]] std::size_t size() const noexcept { return commands_.size(); }
    /// Name and arguments of command `index`; until the next call.
    [[nodiscard]] std::span<const std::string_view> words(std::size_t index);
    /// Beside which key it was put; empty: it was not.
    [[nodiscard]] std::string_view beside(std::size_t index) const noexcept;
    /// Adds command `index` to a request of the same kind.
    void append_to(request& out, std::size_t index) const;
    /// What the request said with expect_delay().
    [[nodiscard]] std::chrono::milliseconds extra_delay() const noexcept { return whole_.extra_; }

private:
    struct command {
        std::size_t offset;
        std::size_t size;
        const script* what;  ///< Null if it is no script call.
    };

    request whole_;
    std::vector<command> commands_;
    std::vector<std::string_view> words_;
};

}  // namespace tocsin::redis
