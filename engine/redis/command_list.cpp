#include "engine/redis/command_list.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tocsin::redis {
namespace {

/// Reads "*12\r\n" or "$12\r\n", which request has written, and moves past it.
std::size_t take_number(std::string_view bytes, std::size_t& at) noexcept {
    std::size_t number = 0;
    const char* const end = bytes.data() + bytes.size();
    const char* const stopped = std::from_chars(bytes.data() + at + 1, end, number).ptr;
    at = static_cast<std::size_t>(stopped - bytes.data()) + 2;
    return number;
}

}  // namespace

command_list::command_list(request what) : whole_(std::move(what)) {
    const std::string_view bytes = whole_.bytes_;
    commands_.reserve(whole_.count());
    auto call = whole_.scripts_.begin();
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t begin = at;
        for (std::size_t left = take_number(bytes, at); left > 0; --left) {
            const std::size_t length = take_number(bytes, at);
            at += length + 2;
        }
        const bool is_call = call != whole_.scripts_.end() && call->index == commands_.size();
        commands_.push_back({begin, at - begin, is_call ? call->what : nullptr});
        if (is_call) {
            ++call;
        }
    }
}

std::span<const std::string_view> command_list::words(std::size_t index) {
    words_.clear();
    const std::string_view bytes =
        std::string_view(whole_.bytes_).substr(commands_[index].offset, commands_[index].size);
    std::size_t at = 0;
    for (std::size_t left = take_number(bytes, at); left > 0; --left) {
        const std::size_t length = take_number(bytes, at);
        words_.push_back(bytes.substr(at, length));
        at += length + 2;
    }
    return words_;
}

std::string_view command_list::beside(std::size_t index) const noexcept {
    const auto found = std::ranges::find(whole_.beside_, index, &std::pair<std::size_t, std::string>::first);
    return found == whole_.beside_.end() ? std::string_view() : std::string_view(found->second);
}

void command_list::append_to(request& out, std::size_t index) const {
    const command& one = commands_[index];
    if (one.what != nullptr) {
        out.scripts_.push_back({out.count_, one.what, out.bytes_.size(), one.size});
    }
    out.bytes_.append(whole_.bytes_, one.offset, one.size);
    ++out.count_;
    out.extra_ = whole_.extra_;
}

}  // namespace tocsin::redis
