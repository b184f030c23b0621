#include "providers/http2/answer.hpp"

#include <charconv>
#include <system_error>

namespace tocsin::http2 {
namespace {

// One long error must not be paid for ever after.
constexpr std::size_t kept_room = 1024;

// RFC 9110, section 5.6.2, without upper case (RFC 9113, section 8.2.1).
constexpr auto name_characters = [] {
    std::array<bool, 256> out{};
    for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~")) {
        out[static_cast<unsigned char>(c)] = true;
    }
    return out;
}();

bool is_valid_name(std::string_view name) noexcept {
    return !name.empty() &&
           std::ranges::all_of(name, [](char c) { return name_characters[static_cast<unsigned char>(c)]; });
}

/// Fields that speak of a connection have no place in HTTP/2 (RFC 9113, section 8.2.2).
bool is_of_connection(std::string_view name) noexcept {
    return name == "connection" || name == "keep-alive" || name == "proxy-connection" ||
           name == "transfer-encoding" || name == "upgrade";
}

template <class T>
bool parse(std::string_view text, T& out) noexcept {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
    return failed == std::errc() && end == text.data() + text.size();
}

}  // namespace

void answer::clear() noexcept {
    status_ = 0;
    final_ = false;
    trailers_ = false;
    malformed_ = false;
    announced_.reset();
    received_ = 0;
    if (body_.capacity() > kept_room) {
        std::string().swap(body_);
    }
    body_.clear();
    content_type_.clear();
    retry_after_.clear();
    provider_id_.clear();
    date_.clear();
}

void answer::begin_block() noexcept {
    regular_ = false;
    trailers_ = final_;
    if (!final_) {
        // Whatever an interim answer said does not belong to the final one.
        status_ = 0;
        announced_.reset();
        content_type_.clear();
        retry_after_.clear();
        provider_id_.clear();
        date_.clear();
    }
}

void answer::field(std::string_view name, std::string_view value) noexcept {
    if (name.starts_with(':')) {
        pseudo_field(name, value);
        return;
    }
    regular_ = true;
    if (!is_valid_name(name) || is_of_connection(name)) {
        malformed_ = true;
    } else if (trailers_) {
        // Nothing in them is for us.
    } else if (name == "apns-id") {
        provider_id_.assign(value);
    } else if (name == "content-type") {
        content_type_.assign(value);
    } else if (name == "retry-after") {
        retry_after_.assign(value);
    } else if (name == "date") {
        date_.assign(value);
    } else if (name == "content-length") {
        std::uint64_t size = 0;
        malformed_ = malformed_ || announced_ || !parse(value, size);
        announced_ = size;
    }
}

void answer::pseudo_field(std::string_view name, std::string_view value) noexcept {
    const bool in_place = name == ":status" && !regular_ && !trailers_ && status_ == 0;
    if (!in_place || value.size() != 3 || !parse(value, status_) || status_ < 100) {
        malformed_ = true;
    }
}

void answer::end_block(bool ends_stream) noexcept {
    if (trailers_) {
        malformed_ = malformed_ || !ends_stream;
        return;
    }
    final_ = status_ >= 200;
    // 101 asks for another protocol, which HTTP/2 does not have (RFC 9113, section 8.6).
    const bool interim_is_all = !final_ && ends_stream;
    malformed_ = malformed_ || status_ == 0 || status_ == 101 || interim_is_all;
}

void answer::data(std::string_view bytes) {
    malformed_ = malformed_ || !final_ || trailers_;
    received_ += bytes.size();
    const std::size_t room = largest_body - std::min(largest_body, body_.size());
    body_.append(bytes.substr(0, room));
}

void answer::end() noexcept {
    malformed_ = malformed_ || !final_ || (announced_ && *announced_ != received_);
}

void answer::put_into(response& out) const noexcept {
    out.status = status_;
    out.body = body_;
    out.content_type = content_type_.view();
    out.retry_after = retry_after_.view();
    out.provider_id = provider_id_.view();
    out.date = date_.view();
}

}  // namespace tocsin::http2
