#include "tests/support/malformed_events.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace tocsin::testing {
namespace {

using events = std::vector<malformed_event>;

constexpr std::string_view audience = R"("audience":["commune:21231"])";
constexpr std::string_view shown = R"("notification":{"title":"Crue","body":"Quais fermés"})";

std::string quoted_run(std::size_t length, char c = 'a') {
    return '"' + std::string(length, c) + '"';
}

/// A good event but for one more field, or for one of the two that it has.
std::string with(std::string_view field, std::string_view json) {
    std::string out = "{";
    if (field != "audience") {
        out.append(audience).append(",");
    }
    if (field != "notification") {
        out.append(shown).append(",");
    }
    return out.append("\"").append(field).append("\":").append(json).append("}");
}

std::string with_selector(std::string_view selector) {
    return with("audience", "[\"" + std::string(selector) + "\"]");
}

std::string with_shown(std::string_view field, std::string_view json) {
    const std::string title = field == "title" ? "" : R"("title":"Crue",)";
    return with("notification", "{" + title + "\"" + std::string(field) + "\":" + std::string(json) + "}");
}

std::string with_members(std::string_view members) {
    return "{" + std::string(audience) + "," + std::string(shown) + "," + std::string(members) + "}";
}

std::string repeated(std::string_view element, std::size_t times) {
    std::string out = "[";
    for (std::size_t i = 0; i < times; ++i) {
        out.append(i == 0 ? "" : ",").append(element);
    }
    return out + "]";
}

std::string numbered_object(std::size_t members, std::string_view prefix, std::string_view value) {
    std::string out = "{";
    for (std::size_t i = 0; i < members; ++i) {
        out.append(i == 0 ? "\"" : ",\"")
            .append(prefix)
            .append(std::to_string(i))
            .append("\":")
            .append(value);
    }
    return out + "}";
}

void add_broken_documents(events& to) {
    const std::string good = with("id", R"("a")");
    const std::string deep_value = std::string(40, '[') + std::string(40, ']');
    to.insert(
        to.end(),
        {{"empty", "", "invalid_json"},
         {"blank", "   ", "invalid_json"},
         {"cut_in_the_middle", good.substr(0, good.size() / 2), "invalid_json"},
         {"cut_before_the_last_brace", good.substr(0, good.size() - 1), "invalid_json"},
         {"trailing_brace", good + "}", "invalid_json"},
         {"two_documents", with("mode", R"("actual")") + good, "invalid_json"},
         {"trailing_comma", R"({"audience":["commune:21231"],})", "invalid_json"},
         {"single_quotes", "{'audience':['everyone']}", "invalid_json"},
         {"bare_word", "tocsin", "invalid_json"},
         {"comment", "{/* for all */\"audience\":[\"everyone\"]}", "invalid_json"},
         {"nan", with("ttl", "NaN"), "invalid_json"},
         {"leading_zero", with("ttl", "007"), "invalid_json"},
         {"raw_newline_in_text", with_shown("body", "\"a\nb\""), "invalid_json"},
         {"lone_surrogate", with_shown("sound", R"("\ud83d")"), "invalid_json"},
         {"bad_escape", with_shown("thread", R"("\x41")"), "invalid_json"},
         {"byte_order_mark", "\xEF\xBB\xBF" + good, "invalid_json"},
         {"xml", "<event><audience>everyone</audience></event>", "invalid_json"},
         {"form_encoded", "audience=everyone&title=Crue", "invalid_json"},
         {"utf8_continuation_alone", "  \x80" + good, "invalid_utf8"},
         {"utf8_latin1", with_shown("body", "\"\xE9t\xE9\""), "invalid_utf8"},
         {"utf8_overlong", with_shown("title", "\"\xC0\xAF\""), "invalid_utf8"},
         {"utf8_surrogate", with("category", "\"\xED\xA0\x80\""), "invalid_utf8"},
         {"utf8_beyond_unicode", with("id", "\"\xF5\x80\x80\x80\""), "invalid_utf8"},
         {"utf8_cut_at_the_end", good + "\xC3", "invalid_utf8"},
         {"utf16", std::string("\xFF\xFE{\0\"\0", 6), "invalid_utf8"},
         {"binary", std::string("\x00\xFF\x00\x01", 4), "invalid_utf8"},
         {"nul_character", with_shown("body", R"("a\u0000b")"), "control_character"},
         {"deep_arrays", with("apns", "{\"a\":" + deep_value + "}"), "too_deep"},
         {"deep_document", std::string(100'000, '['), "too_deep"},
         {"deep_objects",
          [] {
              std::string out;
              for (int i = 0; i < 5'000; ++i) {
                  out += R"({"a":)";
              }
              return out;
          }(),
          "too_deep"},
         {"five_megabytes", with("data", R"({"a":)" + quoted_run(5'000'000) + "}"), "too_large"},
         {"five_megabytes_of_blanks", std::string(5 << 20, ' '), "too_large"},
         {"just_too_large", with("id", quoted_run(std::size_t{256} * 1024)), "too_large"},
         {"is_null", "null", "not_an_object"},
         {"is_number", "7", "not_an_object"},
         {"is_text", R"("everyone")", "not_an_object"},
         {"is_array", "[{}]", "not_an_object"},
         {"is_boolean", "true", "not_an_object"},
         {"is_fraction", "0.5", "not_an_object"},
         {"key_twice", with_members(R"("id":"a","id":"b")"), "duplicate_key"},
         {"key_twice_by_escape", with_members(R"("ttl":1,"\u0074tl":2)"), "duplicate_key"},
         {"key_twice_in_notification", with("notification", R"({"body":"a","body":"a"})"), "duplicate_key"},
         {"key_twice_in_override", with("apns", R"({"aps":{"badge":1,"badge":2}})"), "duplicate_key"},
         {"key_twice_in_array", with("fcm", R"({"list":[{"a":1},{"b":1,"b":2}]})"), "duplicate_key"},
         {"key_twice_in_data", with("data", R"({"k":"1","k":"2"})"), "duplicate_key"}});
}

void add_fields(events& to) {
    to.insert(
        to.end(), {{"nothing_at_all", "{}", "missing_field"},
                   {"no_content", "{" + std::string(audience) + "}", "nothing_to_send"},
                   {"empty_data_only", R"({"audience":["everyone"],"data":{}})", "nothing_to_send"},
                   {"unknown_field", with("colour", "1"), "unknown_field"},
                   {"misspelt_audience", R"({"audiance":["everyone"],"data":{"a":"b"}})", "unknown_field"},
                   {"misspelt_notification", with("notifcation", "{}"), "unknown_field"},
                   {"upper_case_field", with("TTL", "60"), "unknown_field"},
                   {"camel_case_field", with("sendAt", "60"), "unknown_field"},
                   {"empty_field_name", with("", "1"), "unknown_field"},
                   {"long_field_name", with(std::string(5'000, 'x'), "1"), "unknown_field"},
                   {"title_at_the_top", with("title", R"("Crue")"), "unknown_field"},
                   {"unknown_in_notification", with_shown("colour", R"("red")"), "unknown_field"},
                   {"misspelt_title", with("notification", R"({"titel":"Crue"})"), "unknown_field"},
                   {"unknown_in_localized", with("localized", R"({"en":{"title":"Flood","sound":"x"}})"),
                    "unknown_field"},
                   {"id_empty", with("id", R"("")"), "invalid_id"},
                   {"id_too_long", with("id", quoted_run(129)), "invalid_id"},
                   {"id_with_space", with("id", R"("crue ouche")"), "invalid_id"},
                   {"id_with_slash", with("id", R"("crue/ouche")"), "invalid_id"},
                   {"id_with_accent", with("id", R"("événement")"), "invalid_id"},
                   {"id_with_newline", with("id", R"("a\nb")"), "invalid_id"},
                   {"apps_empty", with("apps", "[]"), "empty_apps"},
                   {"apps_too_many", with("apps", repeated(R"("mairies")", 1'001)), "too_many_apps"},
                   {"app_empty", with("apps", R"([""])"), "invalid_app"},
                   {"app_too_long", with("apps", "[" + quoted_run(65) + "]"), "invalid_app"},
                   {"app_with_space", with("apps", R"(["les mairies"])"), "invalid_app"},
                   {"second_app_with_colon", with("apps", R"(["mairies","a:b"])"), "invalid_app"},
                   {"app_is_number", with("apps", "[1]"), "wrong_type"},
                   {"app_is_null", with("apps", "[null]"), "wrong_type"},
                   {"category_empty", with("category", R"("")"), "invalid_category"},
                   {"category_too_long", with("category", quoted_run(65)), "invalid_category"},
                   {"category_of_two_words", with("category", R"("alerte crue")"), "invalid_category"},
                   {"category_with_comma", with("category", R"("alerte,crue")"), "invalid_category"},
                   {"category_with_nul", with("category", R"("a\u0000")"), "control_character"},
                   {"priority_unknown", with("priority", R"("urgent")"), "invalid_priority"},
                   {"priority_upper_case", with("priority", R"("HIGH")"), "invalid_priority"},
                   {"priority_empty", with("priority", R"("")"), "invalid_priority"},
                   {"priority_misspelt", with("priority", R"("critcal")"), "invalid_priority"},
                   {"mode_unknown", with("mode", R"("test")"), "invalid_mode"},
                   {"mode_with_hyphen", with("mode", R"("dry-run")"), "invalid_mode"},
                   {"mode_empty", with("mode", R"("")"), "invalid_mode"},
                   {"collapse_id_empty", with("collapse_id", R"("")"), "invalid_collapse_id"},
                   {"collapse_id_too_long", with("collapse_id", quoted_run(65)), "invalid_collapse_id"},
                   {"collapse_id_too_long_in_bytes",
                    with("collapse_id", "\"" + std::string(62, 'a') + "été\""), "invalid_collapse_id"},
                   {"collapse_id_with_newline", with("collapse_id", R"("a\r\nb: c")"), "invalid_collapse_id"},
                   {"collapse_id_with_blank_end", with("collapse_id", R"("crue ")"), "invalid_collapse_id"}});
}

void add_selectors(events& to) {
    const std::string hex = "0123456789abcdef0123456789abcdef";
    const std::string fcm = "cXJ0b2tlbg:APA91bFabcdefghij";
    to.insert(
        to.end(),
        {{"audience_empty", with("audience", "[]"), "empty_audience"},
         {"audience_too_many", with("audience", repeated(R"("everyone")", 1'001)), "too_many_selectors"},
         {"selector_is_number", with("audience", "[21231]"), "wrong_type"},
         {"selector_is_object", with("audience", R"([{"commune":"21231"}])"), "wrong_type"},
         {"second_selector_is_null", with("audience", R"(["everyone",null])"), "wrong_type"},
         {"selector_empty", with_selector(""), "malformed_selector"},
         {"second_selector_empty", with("audience", R"(["everyone",""])"), "malformed_selector"},
         {"selector_is_a_colon", with_selector(":"), "unknown_selector"},
         {"selector_without_kind", with_selector("21231"), "malformed_selector"},
         {"selector_of_unknown_kind", with_selector("region:27"), "unknown_selector"},
         {"selector_misspelt", with_selector("comune:21231"), "unknown_selector"},
         {"selector_in_upper_case", with_selector("COMMUNE:21231"), "unknown_selector"},
         {"selector_with_blank", with_selector(" commune:21231"), "unknown_selector"},
         {"selector_of_free_text", with_selector("Dijon"), "unknown_selector"},
         {"selector_is_a_bare_token", with_selector(hex), "unknown_selector"},
         {"commune_without_code", with_selector("commune"), "malformed_selector"},
         {"commune_with_empty_code", with("audience", R"(["everyone","commune:"])"), "malformed_selector"},
         {"commune_code_short", with_selector("commune:2123"), "invalid_commune"},
         {"commune_code_long", with_selector("commune:212310"), "invalid_commune"},
         {"commune_code_very_long", with_selector("commune:" + std::string(9'000, '2')), "invalid_commune"},
         {"commune_code_of_letters", with_selector("commune:DIJON"), "invalid_commune"},
         {"commune_code_lower_case", with_selector("commune:2a004"), "invalid_commune"},
         {"commune_code_of_no_corsica", with_selector("commune:2C004"), "invalid_commune"},
         {"commune_code_zero", with_selector("commune:00001"), "invalid_commune"},
         {"commune_code_with_blank", with_selector("commune:21231 "), "invalid_commune"},
         {"epci_short", with_selector("epci:24210041"), "invalid_epci"},
         {"epci_long", with_selector("epci:2421004100"), "invalid_epci"},
         {"epci_with_blanks", with_selector("epci:242 100 410"), "invalid_epci"},
         {"epci_of_letters", with_selector("epci:metropole"), "invalid_epci"},
         {"epci_without_number", with_selector("epci"), "malformed_selector"},
         {"department_zero", with_selector("department:00"), "invalid_department"},
         {"department_of_one_digit", with_selector("department:1"), "invalid_department"},
         {"department_twenty", with_selector("department:20"), "invalid_department"},
         {"department_past_the_last", with_selector("department:96"), "invalid_department"},
         {"department_lower_case", with_selector("department:2a"), "invalid_department"},
         {"department_2c", with_selector("department:2C"), "invalid_department"},
         {"department_970", with_selector("department:970"), "invalid_department"},
         {"department_name", with_selector("department:Nord"), "invalid_department"},
         {"department_without_code", with_selector("department:"), "malformed_selector"},
         {"zone_without_anything", with_selector("zone"), "malformed_selector"},
         {"zone_without_name", with_selector("zone:21231"), "invalid_zone"},
         {"zone_with_empty_name", with_selector("zone:21231:"), "invalid_zone"},
         {"zone_without_commune", with_selector("zone:centre"), "invalid_zone"},
         {"zone_of_bad_commune", with_selector("zone:212:centre"), "invalid_commune"},
         {"zone_name_too_long", with_selector("zone:21231:" + std::string(65, 'z')), "invalid_zone"},
         {"zone_name_with_space", with_selector("zone:21231:centre ville"), "invalid_zone"},
         {"zone_name_with_accent", with_selector("zone:21231:École"), "invalid_zone"},
         {"zone_name_with_colon", with_selector("zone:21231:a:b"), "invalid_zone"},
         {"everyone_with_value", with_selector("everyone:here"), "malformed_selector"},
         {"everyone_misspelt", with_selector("everybody"), "unknown_selector"},
         {"device_without_platform", with_selector("device"), "malformed_selector"},
         {"device_without_token", with_selector("device:apns"), "malformed_selector"},
         {"device_of_unknown_platform", with_selector("device:hms:" + hex), "invalid_platform"},
         {"device_of_no_platform", with_selector("device:" + hex + ":x"), "invalid_platform"},
         {"apns_token_empty", with_selector("device:apns:"), "invalid_apns_token"},
         {"apns_token_short", with_selector("device:apns:0123456789abcdef"), "invalid_apns_token"},
         {"apns_token_odd", with_selector("device:apns:" + hex + "0"), "invalid_apns_token"},
         {"apns_token_not_hex", with_selector("device:apns:" + hex.substr(0, 31) + "g"),
          "invalid_apns_token"},
         {"apns_token_long", with_selector("device:apns:" + std::string(402, 'a')), "invalid_apns_token"},
         {"apns_token_in_brackets", with_selector("device:apns:<" + hex + ">"), "invalid_apns_token"},
         {"fcm_token_empty", with_selector("device:fcm:"), "invalid_fcm_token"},
         {"fcm_token_short", with_selector("device:fcm:abc"), "invalid_fcm_token"},
         {"fcm_token_long", with_selector("device:fcm:" + std::string(1'025, 'a')), "invalid_fcm_token"},
         {"fcm_token_with_quote", with_selector("device:fcm:" + fcm + R"(\")"), "invalid_fcm_token"},
         {"fcm_token_with_backslash", with_selector("device:fcm:" + fcm.substr(1) + R"(\\)"),
          "invalid_fcm_token"},
         {"fcm_token_with_space", with_selector("device:fcm:" + fcm.substr(2) + " "), "invalid_fcm_token"},
         {"fcm_token_with_accent", with_selector("device:fcm:" + fcm.substr(3) + "é"), "invalid_fcm_token"},
         {"endpoint_not_https", with_selector("device:webpush:http://push.example.org/x"),
          "invalid_endpoint"},
         {"endpoint_of_an_address", with_selector("device:webpush:https://[::1]/x"), "invalid_endpoint"},
         {"fcm_token_with_newline", with_selector("device:fcm:" + fcm.substr(4) + R"(\n)"),
          "invalid_fcm_token"}});
}

void add_content(events& to) {
    to.insert(
        to.end(),
        {{"notification_empty", with("notification", "{}"), "empty_notification"},
         {"notification_of_badge", with("notification", R"({"badge":1})"), "empty_notification"},
         {"notification_of_image", with("notification", R"({"image":"https://a.example/b"})"),
          "empty_notification"},
         {"notification_of_sound",
          R"({"audience":["everyone"],"notification":{"sound":"default"},"data":{"a":"b"}})",
          "empty_notification"},
         {"title_with_escape_character", with_shown("title", R"("a\u001b[31m")"), "control_character"},
         {"body_with_delete_character", with_shown("body", R"("a\u007f")"), "control_character"},
         {"sound_with_newline_is_fine_but_bell_not", with_shown("sound", R"("\u0007")"), "control_character"},
         {"title_too_long", with_shown("title", quoted_run(16'385)), "text_too_long"},
         {"body_too_long", with_shown("body", quoted_run(16'386)), "text_too_long"},
         {"subtitle_too_long", with_shown("subtitle", quoted_run(16'387)), "text_too_long"},
         {"sound_too_long", with_shown("sound", quoted_run(257)), "text_too_long"},
         {"thread_too_long", with_shown("thread", quoted_run(258)), "text_too_long"},
         {"image_too_long", with_shown("image", "\"https://a.example/" + std::string(2'048, 'a') + "\""),
          "text_too_long"},
         {"image_over_http", with_shown("image", R"("http://a.example/b.png")"), "invalid_url"},
         {"image_of_data", with_shown("image", R"("data:image/png;base64,AAAA")"), "invalid_url"},
         {"image_relative", with_shown("image", R"("/b.png")"), "invalid_url"},
         {"image_without_host", with_shown("image", R"("https:///b.png")"), "invalid_url"},
         {"image_with_space", with_shown("image", R"("https://a.example/b c.png")"), "invalid_url"},
         {"url_relative", with_shown("url", R"("article/12")"), "invalid_url"},
         {"url_without_scheme", with_shown("url", R"("www.example.fr")"), "invalid_url"},
         {"url_with_accent", with_shown("url", R"("https://a.example/é")"), "invalid_url"},
         {"url_with_bad_percent", with_shown("url", R"("https://a.example/%zz")"), "invalid_url"},
         {"badge_negative", with_shown("badge", "-1"), "invalid_badge"},
         {"badge_too_large", with_shown("badge", "2147483648"), "invalid_badge"},
         {"badge_beyond_64_bits", with_shown("badge", "18446744073709551615"), "wrong_type"},
         {"data_too_many", with("data", numbered_object(65, "k", R"("v")")), "too_many_data"},
         {"data_key_empty", with("data", R"({"":"v"})"), "invalid_data_key"},
         {"data_key_too_long", with("data", "{" + quoted_run(257) + ":\"v\"}"), "invalid_data_key"},
         {"data_key_aps", with("data", R"({"aps":"v"})"), "reserved_data_key"},
         {"data_key_from", with("data", R"({"from":"v"})"), "reserved_data_key"},
         {"data_key_message_type", with("data", R"({"message_type":"v"})"), "reserved_data_key"},
         {"data_key_google", with("data", R"({"google.sent_time":"v"})"), "reserved_data_key"},
         {"data_key_gcm", with("data", R"({"gcm.n.e":"v"})"), "reserved_data_key"},
         {"data_key_of_receipts", with("data", R"({"tocsin_event":"v"},"receipts":true)"),
          "reserved_data_key"},
         {"receipts_as_text", with("receipts", "\"true\""), "wrong_type"},
         {"receipts_as_number", with("receipts", "1"), "wrong_type"},
         {"data_of_numbers", with("data", R"({"article":1234})"), "wrong_type"},
         {"data_of_booleans", with("data", R"({"open":true})"), "wrong_type"},
         {"data_of_nulls", with("data", R"({"open":null})"), "wrong_type"},
         {"data_nested", with("data", R"({"article":{"id":"1"}})"), "wrong_type"},
         {"locale_empty", with("localized", R"({"":{"title":"a"}})"), "invalid_locale"},
         {"locale_of_one_letter", with("localized", R"({"f":{"title":"a"}})"), "invalid_locale"},
         {"locale_of_a_word", with("localized", R"({"french":{"title":"a"}})"), "invalid_locale"},
         {"locale_of_posix", with("localized", R"({"fr_FR.UTF-8":{"title":"a"}})"), "invalid_locale"},
         {"locale_with_empty_subtag", with("localized", R"({"fr-":{"title":"a"}})"), "invalid_locale"},
         {"locale_too_long", with("localized", R"({"fr-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd":{"title":"a"}})"),
          "invalid_locale"},
         {"locale_twice", with("localized", R"({"pt-BR":{"title":"a"},"pt_br":{"title":"b"}})"),
          "duplicate_locale"},
         {"locales_too_many", with("localized", numbered_object(65, "fr-a", R"({"title":"a"})")),
          "too_many_locales"},
         {"localized_text_is_string", with("localized", R"({"en":"Flood"})"), "wrong_type"},
         {"localized_empty", with("localized", R"({"en":{}})"), "empty_localized"},
         {"localized_blank", with("localized", R"({"de":{"title":"","body":""}})"), "empty_localized"},
         {"localized_control", with("localized", R"({"en":{"title":"\u0001"}})"), "control_character"},
         {"localized_too_long", with("localized", R"({"en":{"body":)" + quoted_run(16'390) + "}}"),
          "text_too_long"},
         {"localized_silent_push",
          R"({"audience":["everyone"],"data":{"a":"b"},"localized":{"en":{"title":"a"}}})",
          "localized_without_notification"}});
}

void add_times(events& to) {
    to.insert(
        to.end(), {{"send_at_empty", with("send_at", R"("")"), "invalid_time"},
                   {"send_at_a_word", with("send_at", R"("tomorrow")"), "invalid_time"},
                   {"send_at_without_zone", with("send_at", R"("2026-11-23T06:00:00")"), "invalid_time"},
                   {"send_at_a_date", with("send_at", R"("2026-11-23")"), "invalid_time"},
                   {"send_at_of_february_30", with("send_at", R"("2026-02-30T06:00:00Z")"), "invalid_time"},
                   {"send_at_quoted_seconds", with("send_at", R"("1795413600")"), "invalid_time"},
                   {"send_at_negative", with("send_at", "-1"), "invalid_time"},
                   {"send_at_in_milliseconds", with("send_at", "1795413600000"), "invalid_time"},
                   {"send_at_of_hour_25", with("send_at", R"("2026-11-23T25:00:00Z")"), "invalid_time"},
                   {"send_at_far", with("send_at", R"("2999-01-01T00:00:00Z")"), "send_at_too_far"},
                   {"send_at_far_in_seconds", with("send_at", "99999999999"), "send_at_too_far"},
                   {"send_at_beyond_64_bits", with("send_at", "9999999999999999999"), "wrong_type"},
                   {"ttl_zero", with("ttl", "0"), "invalid_ttl"},
                   {"ttl_negative", with("ttl", "-60"), "invalid_ttl"},
                   {"ttl_too_long", with("ttl", "2419201"), "ttl_too_long"},
                   {"ttl_in_milliseconds", with("ttl", "14400000"), "ttl_too_long"},
                   {"ttl_of_all_time", with("ttl", "9223372036854775807"), "ttl_too_long"},
                   {"spread_negative", with("spread", "-1"), "invalid_spread"},
                   {"spread_longer_than_life", with("spread", "2419200"), "invalid_spread"},
                   {"quiet_hours_misspelt", with("quiet_hours", R"("ignored")"), "invalid_quiet_hours"},
                   {"quiet_hours_a_boolean", with("quiet_hours", "false"), "wrong_type"},
                   {"remember_reached_a_string", with("remember_reached", R"("true")"), "wrong_type"},
                   {"reached_by_nobody", with("reached_by", "[]"), "invalid_reached_by"},
                   {"reached_by_no_id", with("reached_by", R"(["a b"])"), "invalid_reached_by"},
                   {"reached_by_a_number", with("reached_by", "[7]"), "wrong_type"},
                   {"ttl_quoted", with("ttl", R"("3600")"), "wrong_type"},
                   {"ttl_with_exponent", with("send_at", "1e9"), "wrong_type"},
                   {"expires_at_a_word", with("expires_at", R"("never")"), "invalid_time"},
                   {"expires_at_negative", with("expires_at", "-5"), "invalid_time"},
                   {"expires_at_in_milliseconds", with("expires_at", "1795413600001"), "invalid_time"},
                   {"expires_at_far", with("expires_at", R"("2999-01-01T00:00:00Z")"), "ttl_too_long"},
                   {"expires_at_far_after_send_at",
                    with_members(R"("send_at":"2026-01-01T00:00:00Z","expires_at":"2026-01-29T00:00:01Z")"),
                    "ttl_too_long"},
                   {"ttl_and_expires_at", with_members(R"("ttl":60,"expires_at":"2026-11-23T06:00:00Z")"),
                    "ttl_and_expires_at"},
                   {"expires_before_it_is_sent",
                    with_members(R"("send_at":"2026-01-01T00:00:00Z","expires_at":"2025-12-31T23:59:59Z")"),
                    "expires_before_send_at"}});
}

/// Every field with every type that it does not have.
void add_wrong_types(events& to) {
    using named = std::pair<std::string_view, std::string_view>;
    constexpr auto values = std::to_array<named>({
        {"null", "null"},
        {"boolean", "true"},
        {"integer", "12"},
        {"fraction", "1.5"},
        {"string", R"("x")"},
        {"array", "[]"},
        {"object", "{}"},
    });
    struct field {
        std::string_view name;
        std::string_view accepts;
    };
    constexpr auto fields = std::to_array<field>({
        {"id", "string"},
        {"audience", "array"},
        {"apps", "array"},
        {"category", "string"},
        {"priority", "string"},
        {"notification", "object"},
        {"data", "object"},
        {"localized", "object"},
        {"ttl", "integer"},
        {"collapse_id", "string"},
        {"mode", "string"},
        {"apns", "object"},
        {"fcm", "object"},
        {"send_at", "string integer"},
        {"expires_at", "string integer"},
    });
    constexpr auto shown_fields = std::to_array<field>({
        {"title", "string"},
        {"subtitle", "string"},
        {"body", "string"},
        {"image", "string"},
        {"url", "string"},
        {"sound", "string"},
        {"badge", "integer"},
        {"thread", "string"},
    });
    for (const auto& [kind, json] : values) {
        for (const field& one : fields) {
            const bool quoted_ttl = one.name == "ttl" && kind == "string";  // Stands among the times.
            const bool exponent = one.name == "send_at" && kind == "fraction";
            if (one.accepts.find(kind) == std::string_view::npos && !quoted_ttl && !exponent) {
                to.push_back(
                    {std::string(one.name) + "_as_" + std::string(kind), with(one.name, json), "wrong_type"});
            }
        }
        for (const field& one : shown_fields) {
            if (one.accepts != kind) {
                to.push_back(
                    {"notification_" + std::string(one.name) + "_as_" + std::string(kind),
                     with_shown(one.name, json), "wrong_type"});
            }
        }
        if (kind != "string") {
            for (const std::string_view name : {"title", "subtitle", "body"}) {
                to.push_back(
                    {"localized_" + std::string(name) + "_as_" + std::string(kind),
                     with("localized", "{\"en\":{\"" + std::string(name) + "\":" + std::string(json) + "}}"),
                     "wrong_type"});
            }
        }
    }
}

}  // namespace

std::vector<malformed_event> malformed_events() {
    events all;
    add_broken_documents(all);
    add_fields(all);
    add_selectors(all);
    add_content(all);
    add_times(all);
    add_wrong_types(all);
    return all;
}

std::vector<malformed_event> events_for_nowhere() {
    return {
        {"commune_unknown", with_selector("commune:21999"), "unknown_commune"},
        {"commune_is_a_postal_code", with_selector("commune:21000"), "unknown_commune"},
        {"commune_is_an_arrondissement", with_selector("commune:75101"), "unknown_commune"},
        {"commune_of_old_corsica", with_selector("commune:20004"), "unknown_commune"},
        {"second_commune_unknown", with("audience", R"(["commune:21231","commune:99999"])"),
         "unknown_commune"},
        {"zone_of_unknown_commune", with_selector("zone:21998:centre"), "unknown_commune"},
        {"epci_unknown", with_selector("epci:000000000"), "unknown_epci"},
        {"epci_with_a_slip", with_selector("epci:242100411"), "unknown_epci"},
        {"department_unknown", with_selector("department:980"), "unknown_department"},
    };
}

}  // namespace tocsin::testing
