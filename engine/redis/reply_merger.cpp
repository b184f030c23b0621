#include "engine/redis/reply_merger.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace tocsin::redis {

replies reply_merger::merge(std::span<replies* const> parts, std::span<const source> order) {
    if (parts.empty()) {
        return {};
    }
    const auto largest = std::ranges::max_element(
        parts, {}, [](const replies* one) { return one->storage_.nodes.size() + one->storage_.text.size(); });
    const auto kept = static_cast<std::size_t>(std::distance(parts.begin(), largest));
    replies out;
    out.storage_ = std::move(parts[kept]->storage_);
    std::vector<std::uint32_t> first_node(parts.size(), 0);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i != kept) {
            first_node[i] = append(out.storage_, parts[i]->storage_);
        }
    }
    out.roots_.reserve(order.size());
    for (const source& wanted : order) {
        out.roots_.push_back(parts[wanted.part]->roots_[wanted.index] + first_node[wanted.part]);
    }
    return out;
}

std::uint32_t reply_merger::append(reply::storage& to, const reply::storage& from) {
    const auto first_node = static_cast<std::uint32_t>(to.nodes.size());
    const std::size_t first_child = to.children.size();
    const std::size_t first_byte = to.text.size();
    to.text += from.text;
    to.children.reserve(first_child + from.children.size());
    for (const std::uint32_t child : from.children) {
        to.children.push_back(child + first_node);
    }
    to.nodes.reserve(first_node + from.nodes.size());
    for (reply::node node : from.nodes) {
        node.offset += node.type == reply_type::array ? first_child : first_byte;
        to.nodes.push_back(node);
    }
    return first_node;
}

}  // namespace tocsin::redis
