#include "engine/core/digest.hpp"
#include "engine/core/error.hpp"
#include "engine/core/json_members.hpp"
#include "tools/simulator/apns_conversation.hpp"
#include "tools/simulator/jwt.hpp"

#include <boost/json/parse.hpp>
#include <openssl/rand.h>

#include <utility>

#include <xxhash.h>

namespace tocsin::sim {
namespace {

/// The token behind "bearer ", whatever the case of that word; empty if it is another scheme.
std::string_view without_scheme(std::string_view authorization) noexcept {
    constexpr std::string_view scheme = "bearer ";
    if (authorization.size() <= scheme.size()) {
        return {};
    }
    for (std::size_t i = 0; i < scheme.size(); ++i) {
        const char c = authorization[i];
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        if (lower != scheme[i]) {
            return {};
        }
    }
    return authorization.substr(scheme.size());
}

}  // namespace

apns_desk::apns_desk(const credentials& known, std::string environment)
    : known_(known), environment_(std::move(environment)) {
    for (std::size_t why = 0; why < reasons_of(provider::apns).size(); ++why) {
        bodies_[why] = error_body(provider::apns, static_cast<reason_index>(why));
    }
    RAND_bytes(reinterpret_cast<unsigned char*>(&ids_), sizeof ids_);
}

const apns_desk::bearer& apns_desk::read(std::string_view authorization) {
    const auto found = bearers_.find(std::string(authorization));
    if (found != bearers_.end()) {
        return *found->second;
    }
    // Never forgotten: connections hold on to what they were given, and a client has few.
    return *bearers_.emplace(authorization, std::make_unique<bearer>(verify(authorization))).first->second;
}

apns_desk::bearer apns_desk::verify(std::string_view authorization) const {
    const auto text = without_scheme(authorization);
    if (text.empty()) {
        return {0, 0, index_of(apns::reason::missing_provider_token)};
    }
    constexpr bearer invalid{0, 0, index_of(apns::reason::invalid_provider_token)};
    const auto token = read_jwt(text);
    if (!token || text_at(token->header, "alg") != "ES256") {
        return invalid;
    }
    const auto key = known_.find_key(text_at(token->header, "kid"));
    const auto issued = integer_at(token->claims, "iat");
    if (!key || !issued || text_at(token->claims, "iss") != known_.keys[*key].team_id ||
        !verify_es256(*known_.keys[*key].key, token->signed_part, token->signature)) {
        return invalid;
    }
    const std::string& environment = known_.keys[*key].environment;
    if (!environment.empty() && environment != environment_) {
        return {*key, *issued, index_of(apns::reason::bad_environment_key_in_token)};
    }
    return {*key, *issued, success};
}

bool apns_desk::is_json(std::string_view payload) noexcept {
    const std::uint64_t hash = XXH3_64bits(payload.data(), payload.size());
    if (const auto known_verdict = payloads_.find(hash)) {
        return *known_verdict;
    }
    error_code ec;
    const auto value = boost::json::parse(payload, ec);
    const bool good = !ec && value.is_object();
    payloads_.put(hash, good);
    return good;
}

void apns_desk::make_id(std::array<char, 36>& out) noexcept {
    push_uuid(++ids_, environment_, out.data());
}

}  // namespace tocsin::sim
