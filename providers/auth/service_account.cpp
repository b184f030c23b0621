#include "providers/auth/service_account.hpp"

#include "providers/common/bounded_json.hpp"

#include <memory>
#include <utility>

namespace tocsin::auth {
namespace {

parsed<std::string> required(const boost::json::object& object, std::string_view field) {
    const auto* value = object.if_contains(field);
    if (value == nullptr) {
        return refusal{std::string(field), std::string(field) + " is missing"};
    }
    const auto* text = value->if_string();
    if (text == nullptr || text->empty()) {
        return refusal{std::string(field), std::string(field) + " must be a string that is not empty"};
    }
    return std::string(text->data(), text->size());
}

}  // namespace

parsed<service_account> parse_service_account(std::string_view json) {
    const auto reader = std::make_unique<bounded_json>();
    const auto* document = reader->parse(json);
    if (document == nullptr || !document->is_object()) {
        return refusal{"json", "is not a JSON object: download the key from the Google Cloud console again"};
    }
    const auto& object = document->get_object();

    auto type = required(object, "type");
    if (type.has_error()) {
        return type.error();
    }
    if (*type != "service_account") {
        return refusal{"type", "type is \"" + *type + "\", must be \"service_account\""};
    }
    auto project_id = required(object, "project_id");
    auto key_id = required(object, "private_key_id");
    auto email = required(object, "client_email");
    auto token_uri = required(object, "token_uri");
    auto private_key = required(object, "private_key");
    for (const auto* field : {&project_id, &key_id, &email, &token_uri, &private_key}) {
        if (field->has_error()) {
            return field->error();
        }
    }
    auto endpoint = parse_https_url(*token_uri, "token_uri");
    if (endpoint.has_error()) {
        return refusal{"token_uri", endpoint.error().message};
    }
    auto signer = rs256_signer::from_pem(*private_key);
    if (signer.has_error()) {
        return refusal{"private_key", "private_key is not an RSA private key of 2048 bits or more in PEM"};
    }
    return service_account{std::move(*project_id), std::move(*key_id),   std::move(*email),
                           std::move(*token_uri),  std::move(*endpoint), std::move(*signer)};
}

}  // namespace tocsin::auth
