#include "tools/simulator/jwt.hpp"

#include "engine/core/c_handle.hpp"
#include "engine/core/json_members.hpp"
#include "engine/core/text.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>

#include <cstddef>

namespace tocsin::sim {
namespace {

const unsigned char* readable(std::string_view bytes) noexcept {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

bool verify(EVP_PKEY& key, std::string_view message, std::string_view signature) {
    const c_handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, &key) == 1 &&
           EVP_DigestVerify(
               context.get(), readable(signature), signature.size(), readable(message), message.size()) == 1;
}

std::optional<boost::json::object> read_object(std::string_view encoded) {
    const auto text = from_base64url(encoded);
    if (!text) {
        return std::nullopt;
    }
    return parse_object(*text);
}

}  // namespace

std::optional<jwt> read_jwt(std::string_view text) {
    const auto first = text.find('.');
    const auto second = first == std::string_view::npos ? first : text.find('.', first + 1);
    if (second == std::string_view::npos) {
        return std::nullopt;
    }
    auto header = read_object(text.substr(0, first));
    auto claims = read_object(text.substr(first + 1, second - first - 1));
    auto signature = from_base64url(text.substr(second + 1));
    if (!header || !claims || !signature) {
        return std::nullopt;
    }
    return jwt{text.substr(0, second), *std::move(signature), *std::move(header), *std::move(claims)};
}

bool verify_es256(EVP_PKEY& key, std::string_view message, std::string_view signature) {
    if (signature.size() != 64) {
        return false;
    }
    const c_handle<ECDSA_SIG, ECDSA_SIG_free> pair(ECDSA_SIG_new());
    BIGNUM* r = BN_bin2bn(readable(signature), 32, nullptr);
    BIGNUM* s = BN_bin2bn(readable(signature) + 32, 32, nullptr);
    ECDSA_SIG_set0(pair.get(), r, s);  // Takes both.
    std::string der(static_cast<std::size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)), '\0');
    auto* out = reinterpret_cast<unsigned char*>(der.data());
    i2d_ECDSA_SIG(pair.get(), &out);
    return verify(key, message, der);
}

bool verify_rs256(EVP_PKEY& key, std::string_view message, std::string_view signature) {
    return verify(key, message, signature);
}

}  // namespace tocsin::sim
