#include "tools/simulator/dead_token.hpp"
#include "tools/simulator/fcm_conversation.hpp"
#include "tools/simulator/fcm_message.hpp"

#include <array>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

namespace tocsin::sim {
namespace {

/// The device token, or fid, where every client writes it: after the first `"token":"`. Empty if it is
/// not there, or is escaped: then only a parser can tell.
std::string_view spot_token(std::string_view body) noexcept {
    for (const std::string_view mark : {std::string_view("\"token\":\""), std::string_view("\"fid\":\"")}) {
        const void* found = ::memmem(body.data(), body.size(), mark.data(), mark.size());
        if (found == nullptr) {
            continue;
        }
        const auto start =
            static_cast<std::size_t>(static_cast<const char*>(found) - body.data()) + mark.size();
        const auto end = body.find('"', start);
        if (end == std::string_view::npos) {
            return {};
        }
        const auto token = body.substr(start, end - start);
        return token.find('\\') == std::string_view::npos ? token : std::string_view();
    }
    return {};
}

/// The characters that a registration token may have.
constexpr auto token_characters = [] {
    std::array<bool, 256> table{};
    for (const char c :
         std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:.")) {
        table[static_cast<unsigned char>(c)] = true;
    }
    return table;
}();

/// FCM's rule for a registration token, as far as it can be told from its form.
bool is_token(std::string_view token) noexcept {
    bool good = token.size() >= 16;
    for (const char c : token) {
        good &= token_characters[static_cast<unsigned char>(c)];
    }
    return good;
}

}  // namespace

fcm_desk::fcm_desk(const credentials& known, const std::atomic<std::int64_t>& valid_from_ms)
    : known_(known), valid_from_ms_(valid_from_ms), name_heads_(known.projects.size()) {
    for (std::size_t why = 0; why < reasons_of(provider::fcm).size(); ++why) {
        bodies_[why] = error_body(provider::fcm, static_cast<reason_index>(why));
    }
}

const fcm_desk::bearer& fcm_desk::read(std::string_view authorization) {
    const auto found = bearers_.find(std::string(authorization));
    if (found != bearers_.end()) {
        return *found->second;
    }
    auto made = std::make_unique<bearer>();
    made->flaw = index_of(fcm::reason::access_token_type_unsupported);
    if (authorization.starts_with("Bearer ") || authorization.starts_with("bearer ")) {
        if (const auto grant = read_access_token(known_, authorization.substr(7))) {
            *made = {*grant, success};
        }
    }
    // Never forgotten: connections hold on to what they were given, and a client has few.
    return *bearers_.emplace(authorization, std::move(made)).first->second;
}

reason_index fcm_desk::check_body(request& asked) {
    const std::string_view body = asked.body;
    const std::string_view token = spot_token(body);
    if (token.empty()) {
        return parse_body(asked, 0, {});
    }
    const auto start = static_cast<std::size_t>(token.data() - body.data());
    const auto rest = body.substr(start + token.size());
    const std::uint64_t hash =
        XXH3_64bits_withSeed(rest.data(), rest.size(), XXH3_64bits(body.data(), start));
    const auto known_body = templates_.find(hash);
    if (!known_body) {
        return parse_body(asked, hash, token);
    }
    if (!is_token(token)) {
        return index_of(fcm::reason::invalid_token);
    }
    asked.token = token;
    asked.key = token_key(token);
    asked.validate_only = known_body->validate_only;
    return success;
}

reason_index fcm_desk::parse_body(request& asked, std::uint64_t hash, std::string_view found) {
    fcm_message message = read_fcm_message(asked.body);
    asked.token_text = std::move(message.target);
    asked.token = asked.token_text;
    asked.key = token_key(asked.token);
    asked.validate_only = message.validate_only;
    asked.reply_text = std::move(message.words);
    // Only if the parser's target is the text that was spotted does the rest of the body vouch for
    // other tokens in its place.
    if (message.why == success && message.single_device && !found.empty() && asked.token == found) {
        templates_.put(hash, {message.validate_only});
    }
    return message.why;
}

void fcm_desk::name_message(std::size_t project, const moment& now, std::string& out) {
    // The same for all but the number at its end, which is what changes: written by hand.
    std::string& head = name_heads_[project];
    if (head.empty() || now.wall_ms != named_at_ms_) {
        named_at_ms_ = now.wall_ms;
        for (std::string& other : name_heads_) {
            other.clear();
        }
        head = fmt::format(
            R"({{"name":"projects/{}/messages/0:{}%)", known_.projects[project].project_id,
            now.wall_ms * 1000);
    }
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<char, 16> number{};
    for (std::uint64_t id = ++ids_, place = number.size(); place > 0; id >>= 4U) {
        number[--place] = digits[id & 0xFU];
    }
    out = head;
    out.append(number.data(), number.size());
    out += "\"}";
}

}  // namespace tocsin::sim
