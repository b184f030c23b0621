#include "tools/tocsin/vapid_key.hpp"

#include "engine/core/text.hpp"
#include "providers/auth/es256.hpp"
#include "tools/tocsin/console.hpp"

#include <boost/json/object.hpp>

namespace tocsin::cli {

parsed<std::string> application_server_key(std::string_view pem, const std::string& file) {
    const auto signer = auth::es256_signer::from_pem(pem);
    if (signer.has_error()) {
        return refusal{"vapid_key", file + " is not a P-256 private key in PEM"};
    }
    const auto point = signer->public_point();
    if (point.has_error()) {
        return refusal{"vapid_key", file + " has no public half"};
    }
    return base64url(*point);
}

void print_vapid_key(const std::string& file, const std::string& public_key, bool json) {
    if (json) {
        print_json(boost::json::object{{"file", file}, {"application_server_key", public_key}});
    } else {
        print(public_key);
    }
}

}  // namespace tocsin::cli
