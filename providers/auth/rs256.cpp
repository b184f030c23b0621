#include "providers/auth/rs256.hpp"

#include <utility>

namespace tocsin::auth {
namespace {

error_code crypto_failure() noexcept {
    return make_error_code(boost::system::errc::invalid_argument);
}

}  // namespace

rs256_signer::rs256_signer(key_handle key, digest_handle digest) noexcept
    : key_(std::move(key)), digest_(std::move(digest)) {}

result<rs256_signer> rs256_signer::from_pem(std::string_view pem) {
    key_handle key = read_private_key(pem);
    digest_handle digest = fetch_sha256();
    if (key == nullptr || digest == nullptr || !is_rsa(key.get()) || !is_long_enough(key.get())) {
        return crypto_failure();
    }
    return rs256_signer(std::move(key), std::move(digest));
}

result<std::string> rs256_signer::sign(std::string_view message) const {
    const c_handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())), '\0');
    std::size_t size = signature.size();
    if (EVP_DigestSignInit(context.get(), nullptr, digest_.get(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(
            context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
            reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1) {
        return crypto_failure();
    }
    signature.resize(size);
    return signature;
}

}  // namespace tocsin::auth
