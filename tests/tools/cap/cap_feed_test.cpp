#include "tests/tools/cap/cap_events.hpp"
#include "tests/tools/cap/cap_samples.hpp"
#include "tools/cap/cap_message.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

// Messages in the shapes of the standard's appendix and of feeds in use, in words of our own, and as they
// come over the wire: encodings, prefixes, entities, signatures.

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::cap_sample;
using ::testing::ElementsAre;
using testing::event_of;
using ::testing::HasSubstr;
using testing::places;
using ::testing::StartsWith;

std::string replaced(std::string in, std::string_view what, std::string_view by) {
    const std::size_t at = in.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return in.replace(at, what.size(), by);
}

std::string geocode(std::string_view system, std::string_view value) {
    return "<geocode><valueName>" + std::string(system) + "</valueName>\n<value>" + std::string(value) +
           "</value></geocode>\n";
}

std::string parameter(std::string_view name, std::string_view value) {
    return "<parameter><valueName>" + std::string(name) + "</valueName><value>" + std::string(value) +
           "</value></parameter>\n";
}

constexpr std::string_view header =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\n";

/// A national security notice: no area, an audience, a resource (appendix A.1).
std::string security_notice(const std::string& area) {
    return std::string(header) +
           "<identifier>43b080713727</identifier>\n<sender>security@example.org</sender>\n"
           "<sent>2026-11-23T14:39:01-05:00</sent>\n<status>Actual</status>\n<msgType>Alert</msgType>\n"
           "<scope>Public</scope>\n<info>\n<category>Security</category>\n<event>Raised level</event>\n"
           "<urgency>Immediate</urgency>\n<severity>Severe</severity>\n<certainty>Likely</certainty>\n"
           "<senderName>The ministry</senderName>\n<headline>The level is raised</headline>\n"
           "<description>Be watchful in public places.</description>\n"
           "<web>http://security.example.org/level</web>\n"
           "<parameter><valueName>LEVEL</valueName><value>ORANGE</value></parameter>\n"
           "<resource><resourceDesc>Image file (GIF)</resourceDesc><mimeType>image/gif</mimeType>"
           "<uri>http://security.example.org/level.gif</uri></resource>\n" +
           area + "</info>\n</alert>\n";
}

/// A thunderstorm with an event code, a polygon and counties (appendix A.2), as the American service sends
/// them: codes and parameters of its own.
std::string thunderstorm() {
    return std::string(header) +
           "<identifier>urn:oid:2.49.0.1.840.0.0001</identifier>\n<sender>w-storms@example.gov</sender>\n"
           "<sent>2026-11-23T14:57:00-07:00</sent>\n<status>Actual</status>\n<msgType>Alert</msgType>\n"
           "<scope>Public</scope>\n<code>IPAWSv1.0</code>\n<note>Alert for the county</note>\n"
           "<info>\n<language>en-US</language>\n<category>Met</category>\n"
           "<event>Severe Thunderstorm Warning</event>\n<responseType>Shelter</responseType>\n"
           "<urgency>Immediate</urgency>\n<severity>Severe</severity>\n<certainty>Observed</certainty>\n"
           "<eventCode><valueName>SAME</valueName><value>SVR</value></eventCode>\n"
           "<effective>2026-11-23T14:57:00-07:00</effective>\n<onset>2026-11-23T14:57:00-07:00</onset>\n"
           "<expires>2026-11-23T16:00:00-07:00</expires>\n<senderName>The office</senderName>\n"
           "<headline>Thunderstorm until four</headline>\n<description>* WHAT...hail.\n\n* WHERE...here."
           "</description>\n<instruction>Go inside.</instruction>\n<web>http://www.example.gov</web>\n"
           "<contact>w-storms@example.gov</contact>\n" +
           parameter("AWIPSidentifier", "SVRSTO") + parameter("maxHailSize", "1.00") +
           "<area>\n<areaDesc>Some county</areaDesc>\n"
           "<polygon>38.47,-120.14 38.34,-119.95 38.52,-119.74 38.62,-119.89 38.47,-120.14</polygon>\n" +
           geocode("SAME", "006109") + geocode("UGC", "CAC109") + "</area>\n</info>\n</alert>\n";
}

std::string by_counties() {
    return replaced(
        thunderstorm(),
        "<polygon>38.47,-120.14 38.34,-119.95 38.52,-119.74 38.62,-119.89 38.47,-120.14</polygon>\n", "");
}

/// An earthquake without a language or an expiry, with a circle, as an update (appendix A.3).
std::string earthquake(const std::string& code) {
    return std::string(header) +
           "<identifier>TRI13970876.2</identifier>\n<sender>seismo@example.org</sender>\n"
           "<sent>2026-11-23T11:59:00-00:00</sent>\n<status>Actual</status>\n<msgType>Update</msgType>\n"
           "<scope>Public</scope>\n"
           "<references>seismo@example.org,TRI13970876.1,2026-11-23T11:50:00-00:00</references>\n"
           "<info>\n<category>Geo</category>\n<event>Earthquake</event>\n<urgency>Past</urgency>\n"
           "<severity>Minor</severity>\n<certainty>Observed</certainty>\n<senderName>The "
           "network</senderName>\n"
           "<headline>EQ 3.4</headline>\n<description>A minor earthquake, measured 3.4 &lt; 4 &amp; "
           "felt.</description>\n" +
           parameter("EventID", "13970876") + parameter("Depth", "11.8 &#177; 2 km") +
           "<area>\n<areaDesc>1 mile from town</areaDesc>\n<circle>32.9525,-115.5527 0</circle>\n" + code +
           "</area>\n</info>\n</alert>\n";
}

/// A search for a child in two languages (appendix A.4).
std::string search_in_two_languages() {
    const auto info = [](std::string_view language, std::string_view headline, std::string_view event) {
        return "<info>\n<language>" + std::string(language) +
               "</language>\n<category>Rescue</category>\n<event>" + std::string(event) +
               "</event>\n<urgency>Immediate</urgency>\n<severity>Severe</severity>\n"
               "<certainty>Likely</certainty>\n<headline>" +
               std::string(headline) +
               "</headline>\n<contact>17</contact>\n<area><areaDesc>Dijon</areaDesc>" +
               geocode("INSEE", "21231") + "</area>\n</info>\n";
    };
    return std::string(header) +
           "<identifier>KAR0-0306112239-SW</identifier>\n<sender>search@example.org</sender>\n"
           "<sent>2026-11-23T22:39:00-07:00</sent>\n<status>Actual</status>\n<msgType>Alert</msgType>\n"
           "<source>KAR0</source>\n<scope>Public</scope>\n" +
           info("en-US", "A child is looked for", "Child abduction") +
           info("fr-FR", "On recherche un enfant", "Alerte enlèvement") + "</alert>\n";
}

/// As the European weather services share them: awareness levels, regions, several languages, restriction.
std::string european(const std::string& codes) {
    std::string out = std::string(header) +
                      "<identifier>2.49.0.1.250.0.FR.20261123.112</identifier>\n"
                      "<sender>vigilance@example.fr</sender>\n<sent>2026-11-23T06:00:00+01:00</sent>\n"
                      "<status>Actual</status>\n<msgType>Alert</msgType>\n<scope>Public</scope>\n";
    for (const auto& [language, event] : std::vector<std::pair<std::string, std::string>>{
             {"fr-FR", "Vigilance jaune vent"}, {"en-GB", "Yellow wind warning"}}) {
        out += "<info>\n<language>" + language + "</language>\n<category>Met</category>\n<event>" + event +
               "</event>\n<responseType>Monitor</responseType>\n<urgency>Future</urgency>\n"
               "<severity>Moderate</severity>\n<certainty>Likely</certainty>\n"
               "<effective>2026-11-23T06:00:00+01:00</effective>\n<onset>2026-11-23T12:00:00+01:00</onset>\n"
               "<expires>2026-11-23T22:00:00+01:00</expires>\n<senderName>Le service</senderName>\n"
               "<headline>" +
               event +
               "</headline>\n<description/>\n<instruction></instruction>\n<web>https://example.fr</web>\n" +
               parameter("awareness_level", "2; yellow; Moderate") + parameter("awareness_type", "1; Wind") +
               "<area>\n<areaDesc>Côte-d'Or</areaDesc>\n" + codes + "</area>\n</info>\n";
    }
    return out + "</alert>\n";
}

/// As a platform that alerts by cell broadcast and location writes them: prefixes, a signature, a polygon.
std::string signed_and_prefixed() {
    return "<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n"
           "<?xml-stylesheet type='text/xsl' href='http://127.0.0.1:9/cap.xsl'?>\n"
           "<!-- made by a machine -->\n"
           "<cap:alert xmlns:cap='urn:oasis:names:tc:emergency:cap:1.2' "
           "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
           "xsi:schemaLocation='urn:oasis:names:tc:emergency:cap:1.2 http://127.0.0.1:9/cap.xsd'>\n"
           "<cap:identifier>FR-ALERT-0042</cap:identifier>\n<cap:sender>cod@example.fr</cap:sender>\n"
           "<cap:sent>2026-11-23T06:00:00+01:00</cap:sent>\n<cap:status>Exercise</cap:status>\n"
           "<cap:msgType>Alert</cap:msgType>\n<cap:scope>Public</cap:scope>\n<cap:code>EU-Alert-3</"
           "cap:code>\n"
           "<cap:info>\n<cap:language>fr</cap:language>\n<cap:category>CBRNE</cap:category>\n"
           "<cap:event>Nuage toxique</cap:event>\n<cap:responseType>Shelter</cap:responseType>\n"
           "<cap:urgency>Immediate</cap:urgency>\n<cap:severity>Extreme</cap:severity>\n"
           "<cap:certainty>Observed</cap:certainty>\n"
           "<cap:headline><![CDATA[Exercice <confinez-vous> & écoutez]]></cap:headline>\n"
           "<cap:description>Ceci est un exercice.</cap:description>\n"
           "<cap:area>\n<cap:areaDesc>Le Havre</cap:areaDesc>\n"
           "<cap:polygon>49.4,0.1 49.5,0.1 49.5,0.2 49.4,0.1</cap:polygon>\n"
           "<cap:geocode><cap:valueName>INSEE</cap:valueName><cap:value>76351</cap:value></cap:geocode>\n"
           "</cap:area>\n</cap:info>\n"
           "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:SignedInfo>"
           "<ds:Reference URI=''><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo>"
           "<ds:SignatureValue>\nAAAA\n</ds:SignatureValue></ds:Signature>\n</cap:alert>\n";
}

/// How the refusal begins of what stands there.
std::string line_of(std::string_view document, std::string_view what) {
    const auto end =
        document.begin() + static_cast<std::ptrdiff_t>(std::min(document.find(what), document.size()));
    return "line " + std::to_string(1 + std::count(document.begin(), end, '\n')) + ": ";
}

struct feed_case {
    std::string name;
    std::string document;
    std::vector<std::string> audience;  ///< Empty: it is refused.
    std::string says{};                 ///< The title, or how the refusal begins.
    std::string more{};                 ///< Something else that the refusal says.
};
void PrintTo(const feed_case& given, std::ostream* out) {
    *out << given.name;
}

class CapFeedTest : public ::testing::TestWithParam<feed_case> {};

TEST_P(CapFeedTest, IsReadOrRefusedWithItsLine) {
    const feed_case& given = GetParam();
    const auto event = event_of(given.document);
    if (given.audience.empty()) {
        ASSERT_TRUE(event.has_error());
        EXPECT_THAT(event.error().message, StartsWith(given.says));
        EXPECT_THAT(event.error().message, HasSubstr(given.more));
        return;
    }
    ASSERT_TRUE(event.has_value()) << event.error().message;
    EXPECT_EQ(event->at("audience"), json::array(given.audience.begin(), given.audience.end()));
    EXPECT_EQ(event->at("notification").at("title").as_string(), given.says);
}

const std::string dijon_area = "<area><areaDesc>Dijon</areaDesc>" + geocode("INSEE", "21231") + "</area>\n";

INSTANTIATE_TEST_SUITE_P(
    Shapes, CapFeedTest,
    ::testing::Values(
        feed_case{"SecurityNotice", security_notice(dijon_area), {"commune:21231"}, "The level is raised"},
        feed_case{"SecurityNoticeWithoutArea", security_notice(""), {}, "line 9: ", "no area"},
        feed_case{"Thunderstorm", thunderstorm(), {}, line_of(thunderstorm(), "<area>"), "polygon"},
        feed_case{"ThunderstormByCounties", by_counties(), {}, line_of(by_counties(), "<geocode>"), "SAME"},
        feed_case{"Earthquake", earthquake(""), {}, line_of(earthquake(""), "<area>"), "polygon or circle"},
        feed_case{
            "EarthquakeWithATerritory", earthquake(geocode("DEPARTMENT", "06")), {"department:06"}, "EQ 3.4"},
        feed_case{"TwoLanguages", search_in_two_languages(), {"commune:21231"}, "On recherche un enfant"},
        feed_case{
            "European",
            european(geocode("EMMA_ID", "FR021")),
            {},
            line_of(european(""), "</area>"),
            "EMMA_ID"},
        feed_case{
            "EuropeanWithDepartments",
            european(geocode("EMMA_ID", "FR021") + geocode("DEPARTMENT", "21")),
            {"department:21"},
            "Vigilance jaune vent"},
        feed_case{
            "SignedAndPrefixed",
            signed_and_prefixed(),
            {"commune:76351"},
            "Exercice <confinez-vous> & écoutez"},
        feed_case{
            "OlderVersion",
            replaced(security_notice(dijon_area), "cap:1.2", "cap:1.1"),
            {},
            "line 2: ",
            "CAP 1.2"},
        feed_case{
            "WithoutNamespace",
            replaced(security_notice(dijon_area), " xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"", ""),
            {},
            "line 2: ",
            "CAP 1.2"},
        feed_case{
            "NumberedCharacters",
            replaced(
                security_notice(dijon_area), "The level", "&#67;rue &#xE0; l&apos;Ouche &lt;ici&gt;: it"),
            {"commune:21231"},
            "Crue à l'Ouche <ici>: it is raised"},
        feed_case{
            "EntityOfHtml",
            replaced(security_notice(dijon_area), "The level", "The&nbsp;level"),
            {},
            "line 16: ",
            "undefined entity"},
        feed_case{
            "ControlCharacter",
            replaced(security_notice(dijon_area), "The level", std::string_view("The\0level", 9)),
            {},
            "line 16: ",
            "not XML"},
        feed_case{
            "CarriageReturns",
            [] {
                std::string out;
                for (const char c : replaced(security_notice(dijon_area), ">Severe<", ">severe<")) {
                    out += c == '\n' ? std::string("\r\n") : std::string(1, c);
                }
                return out;
            }(),
            {},
            "line 13: ",
            "Severe"},
        feed_case{"Nothing", "", {}, "line 1: ", "not XML"},
        feed_case{"Html", "<!DOCTYPE html>\n<html></html>", {}, "line 1: ", "DOCTYPE"},
        feed_case{"Json", "{\"alert\": 1}", {}, "line 1: ", "not XML"},
        feed_case{
            "CutOff",
            security_notice(dijon_area).substr(0, 700),
            {},
            line_of(security_notice(dijon_area).substr(0, 700), "there is none"),
            "not XML"}),
    [](const auto& test) { return test.param.name; });

/// Of text in UTF-8 without characters beyond U+FFFF.
std::string as_utf16(std::string_view text, bool big_endian) {
    std::string out;
    const auto put = [&](std::uint32_t unit) {
        const auto high = static_cast<char>(unit >> 8U);
        const auto low = static_cast<char>(unit & 0xFFU);
        out += big_endian ? high : low;
        out += big_endian ? low : high;
    };
    put(0xFEFF);
    for (std::size_t i = 0; i < text.size();) {
        const auto first = static_cast<unsigned char>(text[i]);
        const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : 3;
        std::uint32_t point = size == 1 ? first : first & (0x7FU >> size);
        for (std::size_t k = 1; k < size; ++k) {
            point = point << 6U | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
        }
        put(point);
        i += size;
    }
    return out;
}

/// Of text in UTF-8 without characters beyond U+00FF.
std::string as_latin1(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto first = static_cast<unsigned char>(text[i]);
        if (first < 0x80) {
            out += text[i];
        } else {
            out += static_cast<char>((first & 3U) << 6U | (static_cast<unsigned char>(text[++i]) & 0x3FU));
        }
    }
    return out;
}

TEST(CapEncoding, AccentsAreReadInEveryEncodingThatXmlHas) {
    const std::string utf8 = cap_sample().text();
    const std::string named = "UTF-8";
    const std::array<std::pair<const char*, std::string>, 6> same{
        {{"a byte order mark", "\xEF\xBB\xBF" + utf8},
         {"UTF-16LE", as_utf16(replaced(utf8, named, "UTF-16"), false)},
         {"UTF-16BE", as_utf16(replaced(utf8, named, "UTF-16"), true)},
         {"ISO-8859-1", as_latin1(replaced(utf8, named, "ISO-8859-1"))},
         {"in lower case", as_latin1(replaced(utf8, named, "iso-8859-1"))},
         {"no declaration", utf8.substr(utf8.find('\n') + 1)}}};
    for (const auto& [how, document] : same) {
        const auto event = event_of(document);
        ASSERT_TRUE(event.has_value()) << how << ": " << event.error().message;
        EXPECT_EQ(event->at("notification").at("title").as_string(), "L'Ouche déborde") << how;
    }
    // What is not as it is declared is refused where it begins to be so.
    const auto mixed = event_of(as_latin1(utf8));
    ASSERT_TRUE(mixed.has_error());
    EXPECT_THAT(mixed.error().message, StartsWith("line 17: this is not XML"));
    const auto foreign = event_of(as_latin1(replaced(utf8, named, "EBCDIC-CP-FR")));
    ASSERT_TRUE(foreign.has_error());
    EXPECT_THAT(foreign.error().message, StartsWith("line 1: this is not XML"));
}

std::int64_t most_memory() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;  // KiB
}

TEST(CapAttack, WhatExpandsOrPointsElsewhereCostsNoMemoryAndNoConnection) {
    const int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(bind(listening, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(listen(listening, 8), 0);
    getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size);
    const std::string here = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/x";

    std::string laughs = "<?xml version=\"1.0\"?>\n<!DOCTYPE alert [\n<!ENTITY a0 \"ha\">\n";
    for (int i = 1; i < 20; ++i) {
        laughs += "<!ENTITY a" + std::to_string(i) + " \"";
        for (int k = 0; k < 10; ++k) {
            laughs += "&a" + std::to_string(i - 1) + ";";
        }
        laughs += "\">\n";
    }
    laughs += "]>\n<alert>&a19;</alert>";
    const std::vector<std::string> refused{
        laughs, "<?xml version=\"1.0\"?>\n<!DOCTYPE alert SYSTEM \"" + here + "\">\n<alert/>",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE alert PUBLIC \"-//x//y\" \"" + here + "\">\n<alert/>",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE alert [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n"
        "<alert>&x;</alert>",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE alert [<!ENTITY % x SYSTEM \"" + here + "\"> %x;]>\n<alert/>"};
    const std::int64_t before = most_memory();
    for (const std::string& document : refused) {
        const auto message = read_cap(document);
        ASSERT_TRUE(message.has_error());
        EXPECT_EQ(message.error().code, "doctype");
        EXPECT_THAT(message.error().message, StartsWith("line 2: "));
    }
    // What only points elsewhere, from within the message or before it, is passed over.
    const std::string pointing = replaced(
        cap_sample().text(), "  <identifier>",
        "  <xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"" + here + "\"/>\n  <identifier>");
    EXPECT_TRUE(read_cap(pointing).has_value());
    EXPECT_LT(most_memory() - before, 64 * 1024);
    EXPECT_EQ(accept(listening, nullptr, nullptr), -1) << "somebody has connected";
    close(listening);
}

}  // namespace
}  // namespace tocsin
