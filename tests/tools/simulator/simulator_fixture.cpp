#include "tests/tools/simulator/simulator_fixture.hpp"

#include "engine/core/text.hpp"
#include "tools/simulator/pki.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/bn.h>
#include <openssl/ec.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include <fmt/format.h>

namespace tocsin::sim::testing {
namespace {

unsigned char* bytes(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

std::string raw_signature(std::string_view der) {
    const auto* cursor = reinterpret_cast<const unsigned char*>(der.data());
    const c_handle<ECDSA_SIG, ECDSA_SIG_free> pair(
        d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
    std::string raw(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes(raw), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), bytes(raw) + 32, 32);
    return raw;
}

header_list merged(header_list list, const std::map<std::string, std::string>& changes) {
    std::set<std::string> known;
    for (auto& [name, value] : list) {
        known.insert(name);
        const auto found = changes.find(name);
        if (found != changes.end()) {
            value = found->second;
        }
    }
    std::erase_if(list, [](const auto& header) { return header.second.empty(); });
    for (const auto& [name, value] : changes) {
        if (!known.contains(name)) {
            list.emplace_back(name, value);
        }
    }
    return list;
}

}  // namespace

temporary_directory::temporary_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "tocsin-sim-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
}

temporary_directory::~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

simulator_options test_options(const std::filesystem::path& directory) {
    simulator_options options;
    options.directory = directory;
    options.ports = {0, 0, 0, 0, 0};
    options.apps.resize(1);
    return options;
}

std::string read_text(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

boost::json::value json_of(std::string_view text) {
    return boost::json::parse(text);
}

std::string sign_jwt(const std::string& header, const std::string& claims, const std::string& key_pem) {
    const std::string text = base64url(header) + "." + base64url(claims);
    const key_handle key = key_from_pem(key_pem);
    const c_handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())), '\0');
    std::size_t size = signature.size();
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
    EVP_DigestSign(
        context.get(), bytes(signature), &size, reinterpret_cast<const unsigned char*>(text.data()),
        text.size());
    signature.resize(size);
    return text + "." + base64url(EVP_PKEY_is_a(key.get(), "EC") == 1 ? raw_signature(signature) : signature);
}

void SimulatorTest::start(const simulator_options& wanted) {
    simulator_options timed = wanted;
    timed.time = &time;
    auto started = simulator::start(timed);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    running = *std::move(started);
}

std::string SimulatorTest::provider_token(std::int64_t age_s) const {
    const std::int64_t issued = time.seconds() - age_s;
    std::string& token = signed_at_[issued];
    if (token.empty()) {
        token = sign_jwt(
            R"({"alg":"ES256","kid":"KEY1234567"})",
            fmt::format(R"({{"iss":"ABCDE12345","iat":{}}})", issued),
            read_text(file("AuthKey_KEY1234567.p8")));
    }
    return token;
}

header_list SimulatorTest::apns_headers(
    const std::string& token, const std::map<std::string, std::string>& changes) const {
    std::map<std::string, std::string> all = changes;
    if (!changes.contains("authorization")) {
        all["authorization"] = "bearer " + provider_token();
    }
    return merged(
        {{":method", "POST"},
         {":scheme", "https"},
         {":authority", "localhost"},
         {":path", "/3/device/" + token},
         {"authorization", "-"},
         {"apns-topic", "fr.example.mairies"},
         {"apns-push-type", "alert"},
         {"apns-priority", "10"},
         {"apns-expiration", "1795003600"}},
        all);
}

std::string SimulatorTest::assertion(const std::map<std::string, boost::json::value>& changes) const {
    const auto account = json_of(read_text(file("service-account-mairies-app.json"))).get_object();
    boost::json::object claims{
        {"iss", account.at("client_email")},
        {"scope", "https://www.googleapis.com/auth/firebase.messaging"},
        {"aud", account.at("token_uri")},
        {"iat", time.seconds()},
        {"exp", time.seconds() + 3600}};
    for (const auto& [name, value] : changes) {
        claims[name] = value;
    }
    const boost::json::object header{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", account.at("private_key_id")}};
    return sign_jwt(
        boost::json::serialize(header), boost::json::serialize(claims),
        std::string(account.at("private_key").as_string()));
}

std::string SimulatorTest::form(const std::string& assertion) {
    return "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + assertion;
}

std::string SimulatorTest::access_token() const {
    const auto answer = https_post(running->ports().oauth, running->ca_file(), "/token", form(assertion()));
    return std::string(json_of(answer.body).at("access_token").as_string());
}

header_list SimulatorTest::fcm_headers(
    const std::string& bearer, const std::map<std::string, std::string>& changes) const {
    return merged(
        {{":method", "POST"},
         {":scheme", "https"},
         {":authority", "localhost"},
         {":path", "/v1/projects/mairies-app/messages:send"},
         {"authorization", "Bearer " + bearer},
         {"content-type", "application/json"}},
        changes);
}

void SimulatorTest::change(std::string_view document) {
    const auto changed = running->change(json_of(document));
    ASSERT_TRUE(changed.has_value()) << changed.error().message;
}

boost::json::object SimulatorTest::stats(std::string_view provider_name) const {
    return running->stats().at(provider_name).as_object();
}

std::string apns_device(unsigned number) {
    return fmt::format("{:064x}", number);
}

std::string fcm_device(unsigned number) {
    return fmt::format("device-{:08}:APA91bTestRegistrationToken", number);
}

std::string fcm_body(const std::string& token) {
    return R"({"message":{"token":")" + token + R"(","notification":{"title":"Crue","body":"Quais"}}})";
}

}  // namespace tocsin::sim::testing
