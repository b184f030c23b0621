#include "tools/simulator/webpush_conversation.hpp"

#include "engine/core/json_members.hpp"
#include "engine/core/text.hpp"
#include "tools/simulator/dead_token.hpp"
#include "tools/simulator/jwt.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace tocsin::sim {
namespace {

using webpush::reason;

constexpr std::size_t largest_body = 4096;
constexpr std::size_t longest_topic = 32;
constexpr std::int64_t longest_token_s = 86'400;

/// What a request has of the fields that a push service looks at: bits of request::seen.
enum field : std::uint32_t {
    has_path = 1,
    has_encoding = 2,
    has_ttl = 4,
    bad_ttl = 8,
    bad_urgency = 16,
    bad_topic = 32,
};

bool is_number(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 10 &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_urgency(std::string_view text) noexcept {
    return text == "very-low" || text == "low" || text == "normal" || text == "high";
}

key_handle public_key(std::string_view point) {
    const c_handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
        EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    std::string group = "prime256v1";
    std::string bytes(point);
    std::array<OSSL_PARAM, 3> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes.data(), bytes.size()),
        OSSL_PARAM_construct_end()};
    EVP_PKEY* key = nullptr;
    if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.data()) != 1) {
        return nullptr;
    }
    return key_handle(key);
}

}  // namespace

webpush_desk::webpush_desk(const credentials& known, std::string origin)
    : known_(known), origin_(std::move(origin)), reader_(known.subscribers) {}

const webpush_desk::proof& webpush_desk::read(std::string_view authorization) {
    const auto found = proofs_.find(std::string(authorization));
    if (found != proofs_.end()) {
        return *found->second;
    }
    auto made = std::make_unique<proof>(verify(authorization));
    // Never forgotten: connections hold on to what they were given, and a client has few.
    return *proofs_.emplace(authorization, std::move(made)).first->second;
}

webpush_desk::proof webpush_desk::verify(std::string_view authorization) const {
    proof out;
    out.flaw = index_of(reason::bad_authorization_header);
    constexpr std::string_view scheme = "vapid t=";
    const std::size_t comma = authorization.find(',');
    if (!authorization.starts_with(scheme) || comma == std::string_view::npos) {
        return out;
    }
    const std::string_view token = authorization.substr(scheme.size(), comma - scheme.size());
    std::string_view key = authorization.substr(comma + 1);
    key.remove_prefix(std::min(key.find_first_not_of(' '), key.size()));
    if (!key.starts_with("k=")) {
        return out;
    }
    key.remove_prefix(2);
    const auto point = from_base64url(key);
    const key_handle verifier = point ? public_key(*point) : nullptr;
    if (verifier == nullptr) {
        out.flaw = index_of(reason::bad_vapid_public_key);
        return out;
    }
    out.flaw = index_of(reason::bad_jwt_token);
    const auto read = read_jwt(token);
    if (!read || text_at(read->header, "alg") != "ES256" ||
        !verify_es256(*verifier, read->signed_part, read->signature) ||
        text_at(read->claims, "aud") != origin_) {
        return out;
    }
    const std::string_view subject = text_at(read->claims, "sub");
    const auto expires = integer_at(read->claims, "exp");
    if (!expires || !(subject.starts_with("mailto:") || subject.starts_with("https:"))) {
        return out;
    }
    out.expires_s = *expires;
    const auto owner = std::ranges::find(known_.vapid_keys, key, &vapid_key::public_key);
    if (owner == known_.vapid_keys.end()) {
        out.flaw = index_of(reason::vapid_pk_hash_mismatch);
        return out;
    }
    out.owner = static_cast<std::int32_t>(owner - known_.vapid_keys.begin());
    out.flaw = success;
    return out;
}

void webpush_conversation::on_header(request& asked, std::string_view name, std::string_view value) noexcept {
    if (name == ":path") {
        asked.seen |= has_path;
        asked.token_text = desk_.origin();
        asked.token_text += value;
        asked.token = asked.token_text;
        asked.key = token_key(asked.token);
    } else if (name == "authorization") {
        if (value != last_authorization_ || last_proof_ == nullptr) {
            last_authorization_ = value;
            last_proof_ = &desk_.read(value);
        }
        asked.credential = last_proof_;
    } else if (name == ":method") {
        asked.post = value == "POST";
    } else if (name == "content-encoding") {
        asked.seen |= value == "aes128gcm" ? has_encoding : 0U;
    } else if (name == "ttl") {
        asked.seen |= is_number(value) ? has_ttl : bad_ttl;
    } else if (name == "urgency") {
        asked.seen |= is_urgency(value) ? 0U : bad_urgency;
    } else if (name == "topic") {
        asked.seen |= value.size() <= longest_topic && is_word(value, "-_") ? 0U : bad_topic;
    }
}

reason_index webpush_conversation::check_fields(const request& asked) const noexcept {
    if ((asked.seen & has_ttl) == 0 || (asked.seen & bad_ttl) != 0) {
        return index_of(reason::bad_ttl);
    }
    if ((asked.seen & bad_urgency) != 0) {
        return index_of(reason::bad_urgency);
    }
    if ((asked.seen & bad_topic) != 0) {
        return index_of(reason::bad_web_push_topic);
    }
    return (asked.seen & has_encoding) != 0 ? success : index_of(reason::bad_web_push_request);
}

reason_index webpush_conversation::check(
    request& asked, const provider_behaviour&, const moment& now) noexcept {
    const std::string_view body = asked.body;
    asked.body = {};  // What cannot be read is not shown: it is no text.
    const auto number = desk_.known().whose(
        std::string_view(asked.token_text).substr(std::min(desk_.origin().size(), asked.token_text.size())));
    if (!asked.post) {
        return index_of(reason::method_not_allowed);
    }
    if (!number) {
        return index_of(reason::not_found);
    }
    const auto* const proof = static_cast<const webpush_desk::proof*>(asked.credential);
    if (proof == nullptr) {
        return index_of(reason::unauthorized);
    }
    if (proof->flaw != success) {
        return proof->flaw;
    }
    const std::int64_t left = proof->expires_s - now.wall_ms / 1000;
    if (left <= 0 || left > longest_token_s) {
        return index_of(reason::bad_jwt_token);
    }
    asked.owner = proof->owner;
    if (const reason_index flaw = check_fields(asked); flaw != success) {
        return flaw;
    }
    if (body.size() > largest_body) {
        return index_of(reason::payload_too_large);
    }
    const auto text = desk_.reader().read(*number, body);
    if (!text) {
        return index_of(reason::undecryptable);
    }
    asked.body = *text;
    return success;
}

void webpush_conversation::accept(request& asked, const moment&) noexcept {
    asked.set_status(201);
}

void webpush_conversation::refuse(
    request& asked, reason_index why, const refusal_details& details, const moment&) noexcept {
    asked.set_status(reasons_of(provider::webpush)[why].status);
    asked.reply_type = "application/json";
    asked.reply_text = error_body(provider::webpush, why);
    asked.reply = asked.reply_text;
    if (details.retry_after) {
        asked.retry_after = fmt::format_int(*details.retry_after).str();
    }
}

}  // namespace tocsin::sim
