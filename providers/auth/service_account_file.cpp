#include "providers/auth/service_account_file.hpp"

#include "engine/core/pem_text.hpp"
#include "engine/core/visible_text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace tocsin {
namespace {

namespace json = boost::json;

constexpr std::string_view what_to_do =
    ": make a key for a service account in the Firebase console, Project settings, Service accounts";
constexpr std::string_view google_universe = "googleapis.com";
constexpr std::size_t longest_shown = 64;

struct other_kind {
    std::string_view name;
    std::string_view meaning;
};

// The types that Google's libraries read beside a service account's (google.auth.default()).
constexpr auto other_types = std::to_array<other_kind>({
    {"authorized_user", "a person's sign-in, as gcloud auth application-default login leaves it"},
    {"external_account", "workload identity federation, which trades another cloud's identity"},
    {"external_account_authorized_user", "workforce identity federation, a person's sign-in"},
    {"impersonated_service_account", "another's right to speak for a service account, without a key"},
    {"gdch_service_account", "an account of Google Distributed Cloud, which has no FCM"},
});

// Files of the same consoles that have no type; told by a member that only they have.
constexpr auto other_files = std::to_array<other_kind>({
    {"installed", "an OAuth client's secret"},
    {"web", "an OAuth client's secret"},
    {"project_info", "google-services.json, which belongs into the Android app"},
    {"apiKey", "the web app's configuration"},
    {"subject_token_type", "workload identity federation, which trades another cloud's identity"},
    {"refresh_token", "a person's sign-in, as gcloud auth application-default login leaves it"},
});

std::string quoted(std::string_view text) {
    return '"' + made_visible(text.substr(0, longest_shown)) + '"';
}

const json::value* member(const json::object& account, std::string_view name) {
    return account.if_contains(json::string_view(name.data(), name.size()));
}

parsed<json::value> parse(std::string_view contents) {
    constexpr std::string_view mark = "\xEF\xBB\xBF";  // Editors of Windows begin a file with it.
    if (contents.starts_with(mark)) {
        contents.remove_prefix(mark.size());
    }
    const auto refuse = [](std::string_view why) {
        return refusal{
            "json", std::string(why) +
                        "; it should be the key file of a service account from Google's console, unchanged"};
    };
    if (contents.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        return refuse("is not a JSON object: it is empty");
    }
    json::stream_parser parser;
    json::error_code problem;
    const std::size_t consumed = parser.write_some(contents.data(), contents.size(), problem);
    if (!problem) {
        parser.finish(problem);
    }
    const bool more = contents.find_first_not_of(" \t\r\n", consumed) != std::string_view::npos;
    if (problem || more) {
        const auto line =
            1 + std::ranges::count(contents.substr(0, std::min(consumed, contents.size())), '\n');
        return refuse("is not a JSON object: line " + std::to_string(line) + " is no JSON");
    }
    json::value document = parser.release();
    if (!document.is_object()) {
        return refuse("is not a JSON object");
    }
    return document;
}

/// The text of a member that has to be there.
parsed<std::string> required(const json::object& account, std::string_view name) {
    const json::value* const value = member(account, name);
    if (value == nullptr) {
        return refusal{
            std::string(name), "has no \"" + std::string(name) + "\"; a service account's key file has"};
    }
    const auto* const text = value->if_string();
    if (text == nullptr || text->empty()) {
        return refusal{
            std::string(name),
            "has no \"" + std::string(name) + "\" that is a text; a service account's key file has"};
    }
    return std::string(text->data(), text->size());
}

parsed<> check_type(const json::object& account) {
    if (member(account, "type") == nullptr) {
        for (const other_kind& one : other_files) {
            if (member(account, one.name) != nullptr) {
                return refusal{
                    "type", "is not the key file of a service account (it has no \"type\") but " +
                                std::string(one.meaning) + std::string(what_to_do)};
            }
        }
    }
    const auto type = required(account, "type");
    if (type.has_error()) {
        return type.error();
    }
    if (*type == "service_account") {
        return {};
    }
    const auto* const known = std::ranges::find(other_types, std::string_view(*type), &other_kind::name);
    std::string message = "is of type " + quoted(*type);
    message += known != other_types.end() ? " (" + std::string(known->meaning) + ")" : std::string();
    return refusal{"type", message + ", must be \"service_account\"" + std::string(what_to_do)};
}

parsed<> check_universe(const json::object& account) {
    const json::value* const given = member(account, "universe_domain");
    if (given == nullptr || given->is_null()) {
        return {};
    }
    const auto* const text = given->if_string();
    const std::string_view domain =
        text != nullptr ? std::string_view(text->data(), text->size()) : std::string_view();
    if (domain != google_universe) {
        return refusal{
            "universe_domain", "has the universe_domain " + quoted(domain) + ": FCM is in \"" +
                                   std::string(google_universe) + "\" alone, and takes only its accounts"};
    }
    return {};
}

}  // namespace

parsed<service_account_file> read_service_account_file(std::string_view contents) {
    const auto document = parse(contents);
    if (document.has_error()) {
        return document.error();
    }
    const json::object& account = document->get_object();
    if (const auto fine = check_type(account); fine.has_error()) {
        return fine.error();
    }
    if (const auto fine = check_universe(account); fine.has_error()) {
        return fine.error();
    }
    service_account_file out;
    for (auto [name, place] :
         {std::pair("client_email", &out.client_email), std::pair("private_key_id", &out.private_key_id),
          std::pair("private_key", &out.private_key), std::pair("token_uri", &out.token_uri)}) {
        auto text = required(account, name);
        if (text.has_error()) {
            return text.error();
        }
        *place = std::move(*text);
    }
    out.private_key = with_pem_lines(out.private_key);
    if (member(account, "project_id") != nullptr) {
        auto project = required(account, "project_id");
        if (project.has_error()) {
            return project.error();
        }
        out.project_id = std::move(*project);
    }
    return out;
}

}  // namespace tocsin
