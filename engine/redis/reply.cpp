#include "engine/redis/reply.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>

namespace tocsin::redis {

reply_type reply::type() const noexcept {
    return storage_->nodes[index_].type;
}

std::string_view reply::text() const noexcept {
    const node& self = storage_->nodes[index_];
    switch (self.type) {
        case reply_type::string:
        case reply_type::status:
        case reply_type::error: return std::string_view(storage_->text).substr(self.offset, self.length);
        case reply_type::nil:
        case reply_type::integer:
        case reply_type::array: break;
    }
    return {};
}

std::optional<std::int64_t> reply::integer() const noexcept {
    const node& self = storage_->nodes[index_];
    if (self.type == reply_type::integer) {
        return self.integer;
    }
    if (self.type != reply_type::string) {
        return std::nullopt;
    }
    const std::string_view digits = text();
    std::int64_t value = 0;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (ec != std::errc() || end != digits.data() + digits.size()) {
        return std::nullopt;
    }
    return value;
}

std::size_t reply::size() const noexcept {
    const node& self = storage_->nodes[index_];
    return self.type == reply_type::array ? self.length : 0;
}

reply reply::operator[](std::size_t index) const noexcept {
    assert(index < size());
    return {*storage_, storage_->children[storage_->nodes[index_].offset + index]};
}

std::optional<reply> reply::field(std::string_view name) const noexcept {
    for (std::size_t i = 0; i + 1 < size(); i += 2) {
        if ((*this)[i].text() == name) {
            return (*this)[i + 1];
        }
    }
    return std::nullopt;
}

std::vector<std::string> reply::texts() const {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < size(); ++i) {
        out.emplace_back((*this)[i].text());
    }
    return out;
}

std::optional<std::string_view> replies::first_error(std::size_t count) const noexcept {
    for (std::size_t i = 0; i < std::min(count, size()); ++i) {
        if ((*this)[i].is_error()) {
            return (*this)[i].text();
        }
    }
    return std::nullopt;
}

}  // namespace tocsin::redis
