#include "tools/simulator/access_token.hpp"

#include "engine/core/json_members.hpp"
#include "engine/core/text.hpp"

#include <boost/json/serialize.hpp>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>

namespace tocsin::sim {
namespace {

constexpr std::string_view prefix = "ya29.";
constexpr std::size_t token_size = 1024;
constexpr std::size_t mac_size = 43;  // 32 bytes in base64url.

std::string mac_of(const std::string& secret, std::string_view text) {
    std::array<unsigned char, 32> mac{};
    unsigned size = 0;
    HMAC(
        EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
        reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
    return base64url({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

}  // namespace

std::string issue_access_token(const credentials& known, const access_grant& grant) {
    const boost::json::object content{
        {"p", known.projects[grant.project].project_id}, {"i", grant.issued_ms}, {"e", grant.expires_ms}};
    std::string token(prefix);
    token += base64url(boost::json::serialize(content));
    token += '.';
    std::string filler((token_size - token.size() - 1 - mac_size) * 3 / 4, '\0');
    RAND_bytes(reinterpret_cast<unsigned char*>(filler.data()), static_cast<int>(filler.size()));
    token += base64url(filler);
    token += '.' + mac_of(known.oauth_secret, token);
    return token;
}

std::optional<access_grant> read_access_token(const credentials& known, std::string_view token) {
    const auto last = token.rfind('.');
    if (!token.starts_with(prefix) || last == std::string_view::npos) {
        return std::nullopt;
    }
    const auto mac = token.substr(last + 1);
    const auto expected = mac_of(known.oauth_secret, token.substr(0, last));
    if (mac.size() != expected.size() || CRYPTO_memcmp(mac.data(), expected.data(), mac.size()) != 0) {
        return std::nullopt;
    }
    const auto content = token.substr(prefix.size());
    const auto text = from_base64url(content.substr(0, content.find('.')));
    const auto grant = parse_object(text.value_or("")).value_or(boost::json::object());
    const auto project = known.find_project(text_at(grant, "p"));
    const auto issued = integer_at(grant, "i");
    const auto expires = integer_at(grant, "e");
    if (!project || !issued || !expires) {
        return std::nullopt;
    }
    return access_grant{*project, *issued, *expires};
}

}  // namespace tocsin::sim
