#include "providers/webpush/vapid.hpp"

#include "providers/auth/jwt.hpp"

#include <utility>

namespace tocsin::webpush {
namespace {

using namespace std::chrono_literals;

constexpr auto lifetime = 12h;
constexpr auto use_for = 8h;
constexpr auto least_age = 1h;
// Far more than an engine has origins: those that fell silent are forgotten then.
constexpr std::size_t most_origins = 4'096;

/// Still good, and not from a future that the clock has left again.
bool usable(const vapid_header& header, wall_time now) noexcept {
    return now < header.renew_at && now + 1h >= header.issued_at;
}

}  // namespace

vapid_tokens::vapid_tokens(auth::es256_signer signer, std::string public_key, std::string subject)
    : signer_(std::move(signer)), public_key_(std::move(public_key)), subject_(std::move(subject)) {}

std::shared_ptr<const vapid_header> vapid_tokens::get(const std::string& origin, wall_time now) {
    const std::scoped_lock lock(mutex_);
    if (const auto found = by_origin_.find(origin);
        found != by_origin_.end() && usable(*found->second, now)) {
        return found->second;
    }
    header_pointer fresh = mint(origin, now);
    if (fresh == nullptr) {
        return nullptr;
    }
    if (by_origin_.size() >= most_origins) {
        boost::unordered::erase_if(
            by_origin_, [now](const auto& entry) { return !usable(*entry.second, now); });
    }
    if (by_origin_.size() < most_origins) {
        by_origin_.insert_or_assign(origin, fresh);
    }
    newest_ = now;
    return fresh;
}

bool vapid_tokens::renew_after_refusal(
    const std::string& origin, const vapid_header& refused, wall_time now) {
    const std::scoped_lock lock(mutex_);
    const auto found = by_origin_.find(origin);
    if (found == by_origin_.end()) {
        return false;
    }
    if (found->second->issued_at > refused.issued_at) {
        return true;
    }
    if (now - found->second->issued_at < least_age) {
        return false;
    }
    header_pointer fresh = mint(origin, now);
    if (fresh == nullptr) {
        return false;
    }
    found->second = std::move(fresh);
    newest_ = now;
    return true;
}

std::optional<wall_time> vapid_tokens::newest() const {
    const std::scoped_lock lock(mutex_);
    return newest_;
}

vapid_tokens::header_pointer vapid_tokens::mint(const std::string& origin, wall_time now) const {
    const auto token = auth::make_vapid_token(signer_, origin, subject_, now + lifetime);
    if (token.has_error()) {
        return nullptr;
    }
    vapid_header made;
    made.value = "vapid t=" + *token + ", k=" + public_key_;
    made.issued_at = now;
    made.renew_at = now + use_for;
    return std::make_shared<const vapid_header>(std::move(made));
}

}  // namespace tocsin::webpush
