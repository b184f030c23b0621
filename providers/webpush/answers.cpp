#include "providers/webpush/answers.hpp"

#include "engine/core/json_members.hpp"
#include "providers/common/bounded_json.hpp"
#include "providers/common/no_answer.hpp"
#include "providers/common/reason_word.hpp"
#include "providers/common/retry_after.hpp"
#include "providers/common/web_page.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace tocsin::webpush {
namespace {

using enum reaction;

constexpr std::string_view nothing = "There is nothing to correct: it passes.";
constexpr std::string_view device_is_gone =
    "There is nothing to correct: a browser that still wants to be notified subscribes again.";
constexpr std::string_view our_bug = "This is a defect of the engine: please report it with the log.";
constexpr std::string_view fix_the_key =
    "Check that vapid_key_file of this app is the key whose public half the browsers subscribed with, and "
    "this host's clock; then reload.";
constexpr std::string_view shorten = "Shorten the event; some services take less than others.";

constexpr std::string_view look_between = "Look at what stands between the engine and that service.";
// What a table row is asked for when the body is not of a service: see said_otherwise().
constexpr std::string_view speaks_of_our_key = "vapid";
constexpr std::string_view is_a_page = "page";

constexpr auto table = std::to_array<answer_row>({
    // Apple.
    {400, 403, "BadAuthorizationHeader", "BadAuthorizationHeader", pause_app,
     "The service cannot read our authorization.", our_bug},
    {400, 403, "BadJwtToken", "BadJwtToken", pause_app, "The service does not accept our token.",
     "Check subject of this app and this host's clock, then reload."},
    {400, 403, "BadVapidPublicKey", "BadVapidPublicKey", pause_app,
     "The service does not accept our public key.", fix_the_key},
    {400, 403, "ExpiredJwtToken", "ExpiredJwtToken", pause_app, "Our token has expired.",
     "This host's clock is wrong: check NTP."},
    {400, 403, "VapidPkHashMismatch", "VapidPkHashMismatch", pause_app,
     "The browser subscribed with another key.", fix_the_key},
    {400, 400, "BadTtl", "BadTtl", reject_push, "The ttl is not one that the service takes.", our_bug},
    {400, 400, "BadUrgency", "BadUrgency", reject_push, "The urgency is not one that the service knows.",
     our_bug},
    {400, 400, "BadWebPushRequest", "BadWebPushRequest", reject_push, "The service cannot read the request.",
     our_bug},
    {400, 400, "BadWebPushTopic", "BadWebPushTopic", reject_push, "The topic is not valid.", our_bug},

    // Mozilla's errno.
    {400, 403, "101", "MissingCryptoKeys", reject_push, "The request lacks the keys of the encryption.",
     our_bug},
    {404, 404, "102", "InvalidEndpoint", drop_token, "The service does not know the subscription.",
     device_is_gone},
    {410, 410, "103", "ExpiredEndpoint", drop_token, "The subscription has ended.", device_is_gone},
    {413, 413, "104", "PayloadTooLarge", reject_push, "The message is larger than the service takes.",
     shorten},
    {410, 410, "105", "EndpointUnavailable", drop_token, "The subscription has just ended.", device_is_gone},
    {410, 410, "106", "InvalidSubscription", drop_token, "The subscription is no longer valid.",
     device_is_gone},
    {400, 403, "109", "InvalidAuthentication", pause_app, "The service does not accept our token or key.",
     fix_the_key},
    {400, 403, "110", "InvalidCryptoKeys", reject_push, "The service cannot read the encryption.", our_bug},
    {400, 403, "111", "MissingHeader", reject_push, "A header is missing.", our_bug},
    {400, 403, "112", "InvalidTtl", reject_push, "The ttl is not valid.", our_bug},
    {400, 403, "113", "InvalidTopic", reject_push, "The topic is not valid.", our_bug},
    {500, 599, "201", "BackOff", retry_here, "The service asks for fewer requests.", nothing},
    {500, 599, "202", "ServerError", retry_here, "The service has an internal error.", nothing},

    // The numbers alone.
    {300, 399, "", "Redirected", reject_push,
     "The service redirects the request to another address, at which the browser did not subscribe.",
     "If many devices answer so, look at what stands between the engine and that service."},
    {400, 400, speaks_of_our_key, "VapidRefused", pause_app, "The service does not accept our token or key.",
     fix_the_key},
    {401, 401, "", "Unauthorized", pause_app, "The service does not accept our token or key.", fix_the_key},
    {403, 403, "", "Forbidden", pause_app, "Our key may not send to this subscription.", fix_the_key},
    {408, 408, "", "RequestTimeout", retry_here, "The service waited too long for the request.", nothing},
    {413, 413, "", "PayloadTooLarge", reject_push, "The message is larger than the service takes.", shorten},
    {429, 429, "", "TooManyRequests", retry_here, "Too many messages for this device.",
     "Send such devices fewer events."},
    // A proxy, or a server that knows nothing of pushes. It has no word about anybody's subscription, nor
    // about the push: once the service itself is heard, it takes it.
    {200, 499, is_a_page, web_page_word, retry_here,
     "There is a web page at the endpoint, and no push service.", look_between},
    {200, 299, "", "", accept, "The push service took the message.",
     "Accepted is not delivered: the browser gets it when it can be reached."},
    {404, 404, "", "NotFound", drop_token, "The service does not know the subscription.", device_is_gone},
    {405, 405, "", "MethodNotAllowed", reject_push, "Something other than a push service is at the endpoint.",
     look_between},
    {410, 410, "", "Gone", drop_token, "The subscription has ended.", device_is_gone},
    {400, 499, "", "BadRequest", reject_push, "The service refuses the message for this device.",
     "Look the reason up in the documentation of that service."},
    {503, 503, "", "ServiceUnavailable", retry_here, "The service is not available.", nothing},
    {500, 599, "", "ServerError", retry_here, "The service has an internal error.", nothing},
    {0, std::numeric_limits<std::uint16_t>::max(), "", "Unknown", reject_push,
     "The answer is none that a push service gives.", look_between},
});

struct own_word {
    std::string_view word;
    std::string_view sentence;
};

constexpr auto own_words = std::to_array<own_word>({
    {address_not_allowed,
     "The host of the endpoint is at an address that is not in the public Internet: nothing is sent there. "
     "If it is a service of yours, list its origin in app.webpush.services."},
    {service_not_allowed,
     "The endpoint is of a service that is neither known nor listed in app.webpush.services."},
    {unknown_host, "The host of the endpoint has no address."},
    {service_unreachable, "No connection to the push service could be opened."},
    {service_left_alone, "The push service wants to be left alone for a while."},
    {service_busy, "The push service takes less than there is to send: the message waits its turn."},
    {damaged_keys, "The stored keys of the subscription are damaged: let the browser subscribe again."},
});

constexpr auto own_names = [] {
    std::array<std::string_view, own_words.size()> out;
    std::ranges::transform(own_words, out.begin(), &own_word::word);
    return out;
}();

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Not every service says it in JSON: a 400 whose text speaks of our key or token is about those.
bool speaks_of_vapid(std::string_view body) noexcept {
    constexpr auto hints = std::to_array<std::string_view>(
        {"vapid", "jwt", "applicationserverkey", "unauthorizedregistration", "mismatchsenderid",
         "authorization header"});
    return std::ranges::any_of(
        hints, [body](std::string_view hint) { return !std::ranges::search(body, hint, {}, lower).empty(); });
}

/// Google's old push service said it in a page of its own.
bool is_foreign_page(std::string_view body) noexcept {
    return is_web_page(body) && body.find("NotRegistered") == std::string_view::npos;
}

/// What the table is asked for of a body without a word: what it is taken for.
std::string_view said_otherwise(std::uint16_t status, std::string_view body) noexcept {
    if (status == 400 && speaks_of_vapid(body)) {
        return speaks_of_our_key;
    }
    return is_foreign_page(body) ? is_a_page : std::string_view();
}

/// What the table is asked for: Apple's word, or the digits of Mozilla's number, which `digits` holds.
std::string_view said_in(const boost::json::object& body, std::array<char, 8>& digits) noexcept {
    if (const std::string_view reason = text_at(body, "reason"); !reason.empty()) {
        return reason;
    }
    const auto* const number = body.if_contains("errno");
    const auto* const whole = number == nullptr ? nullptr : number->if_int64();
    if (whole == nullptr || *whole < 0 || *whole > 9'999) {
        return {};
    }
    const auto [end, failed] = std::to_chars(digits.data(), digits.data() + digits.size(), *whole);
    return {digits.data(), failed == std::errc() ? static_cast<std::size_t>(end - digits.data()) : 0};
}

}  // namespace

std::span<const answer_row> answer_table() noexcept {
    return table;
}

std::span<const std::string_view> own_reasons() noexcept {
    return own_names;
}

const answer_row& find_answer(std::uint16_t status, std::string_view said) noexcept {
    return *std::ranges::find_if(table, [&](const answer_row& row) {
        return status >= row.first && status <= row.last && (row.said.empty() || row.said == said);
    });
}

judgement::judgement(const answer& given, wall_time now) noexcept {
    bounded_json reader;
    std::array<char, 8> digits{};
    std::string_view said;
    const auto* document = given.body.empty() ? nullptr : reader.parse(given.body);
    if (const auto* object = document != nullptr ? document->if_object() : nullptr) {
        said = said_in(*object, digits);
        said = said == is_a_page || said == speaks_of_our_key ? std::string_view() : said;  // Ours alone.
    }
    const bool plausible = given.status > 0 && given.status <= std::numeric_limits<std::uint16_t>::max();
    what_.status = static_cast<std::uint16_t>(plausible ? given.status : 0);
    row_ = &find_answer(what_.status, said);
    if (const auto otherwise = said_otherwise(what_.status, given.body);
        row_->said.empty() && !otherwise.empty()) {
        row_ = &find_answer(what_.status, otherwise);
    }
    what_.action = row_->action;
    what_.reason = row_->word;
    // A word that is not in the table says more than the number.
    const bool own_word = !said.empty() && row_->said.empty() && what_.action != reaction::accept &&
                          (said.front() < '0' || said.front() > '9');
    if (const std::string_view word = reason_word(said); own_word && word == said) {
        std::ranges::copy(word, word_.begin());
        what_.reason = std::string_view(word_.data(), word.size());
    }
    what_.of_one_service = true;
    if (what_.action == reaction::retry_here) {
        what_.retry_after = parse_retry_after(given.retry_after, now);
        what_.told = what_.retry_after.has_value();
    }
}

std::string explain(std::uint16_t status, std::string_view reason) {
    if (status == 0) {
        const auto* const own = std::ranges::find(own_words, reason, &own_word::word);
        return std::string(own != own_words.end() ? own->sentence : explain_no_answer(reason));
    }
    const auto* row = std::ranges::find_if(table, [&](const answer_row& one) {
        return status >= one.first && status <= one.last && one.word == reason;
    });
    if (row == table.end()) {
        row = &find_answer(status, {});
    }
    return std::string(row->meaning) + ' ' + std::string(row->remedy);
}

}  // namespace tocsin::webpush
