#pragma once

#include "engine/redis/reply.hpp"

#include <cstddef>
#include <span>

namespace tocsin::redis {

/// Makes one answer of what several nodes have answered.
class reply_merger {
public:
    /// Reply `index` of part `part`.
    struct source {
        std::size_t part = 0;
        std::size_t index = 0;
    };

    /// The replies that `order` names, in that order; each may be named once. The parts are used up.
    /// The largest of them is kept as it is and the others are copied to it.
    [[nodiscard]] static replies merge(std::span<replies* const> parts, std::span<const source> order);

private:
    /// Copies the storage of `from` behind that of `to`, and returns the number of its first node.
    static std::uint32_t append(reply::storage& to, const reply::storage& from);
};

}  // namespace tocsin::redis
