#include "tools/proof/certificate.hpp"

#include "engine/core/plain_json.hpp"
#include "engine/core/rfc3339.hpp"
#include "tools/proof/certificate_check.hpp"

#include <boost/json/parse.hpp>

#include <cctype>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::proof {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

certificate_subject some_subject() {
    certificate_subject out;
    out.event = "crue-1";
    out.result =
        json::parse(R"({"event":"crue-1","state":"finished","targeted":12345,"accepted":12000,"dead":300,
        "rejected":5,"expired":0,"cancelled":0,"muted":40,"failed":0,"retries":2,"possible_duplicates":7,
        "accepted_at":1795413600000,"started_at":1795413600010,"finished_at":1795413605000,
        "p50_ms":850,"p90_ms":2047,"p99_ms":4351,"communes":{}})")
            .as_object();
    out.title = "Crue de l'Ouche";
    out.body = "Évitez les quais.";
    out.priority = priority::critical;
    out.audience = {"Dijon (21231)", "Le Havre (76351)"};
    const auto row = [](std::string insee, std::string name, std::uint64_t population,
                        std::uint64_t accepted) {
        reach_row made{std::move(insee), std::move(name), "21", {}};
        made.of(measure::population) = population;
        made.of(measure::targeted) = accepted + 100;
        made.of(measure::accepted) = accepted;
        made.of(measure::received) = accepted / 2;
        made.of(measure::displayed) = accepted / 3;
        made.of(measure::opened) = accepted / 7;
        return made;
    };
    out.rows = {row("21231", "Dijon", 159'346, 9'000), row("76351", "Le Havre", 166'058, 2'990)};
    return out;
}

const wall_time noon = parse_rfc3339("2026-11-23T12:00:00.700Z").value();

std::string page_of(const certificate_subject& subject) {
    return certificate_page(subject, stamp_of(subject, noon));
}

TEST(CertificateTest, SaysWhatTheResultSays) {
    const std::string page = page_of(some_subject());
    for (const std::string_view said :
         {"<html lang=\"fr\">", "Certificat de portée", "Crue de l&#39;Ouche", "Évitez les quais.",
          "12\u202F345", "12\u202F000", "159\u202F346", "Le Havre", "2,0\u202Fs", "850\u202Fms", "4,4\u202Fs",
          "Portée confirmée", "lundi 23\u00A0novembre\u00A02026 à 7\u202Fh\u202F00", "critique",
          "scope=\"col\"", "<desc id=\"chart-desc\">"}) {
        EXPECT_THAT(page, HasSubstr(said));
    }
    EXPECT_THAT(page, HasSubstr(result_digest(some_subject().result)));
    EXPECT_THAT(page, Not(HasSubstr("http://")));
    EXPECT_THAT(page, Not(HasSubstr("https://")));
    EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(CertificateTest, WhatWasNotAskedForIsSaidToBeSo) {
    certificate_subject subject = some_subject();
    for (reach_row& row : subject.rows) {
        for (const measure which :
             {measure::received, measure::displayed, measure::opened, measure::targeted}) {
            row.of(which).reset();
        }
    }
    const std::string page = page_of(subject);
    EXPECT_THAT(page, HasSubstr("Aucun accusé de réception n’a été demandé"));
    EXPECT_THAT(page, Not(HasSubstr("Affichés")));
}

TEST(CertificateTest, AnEventThatReachedNobodyHasAPageToo) {
    certificate_subject subject = some_subject();
    subject.result["accepted"] = 0;
    subject.result["p50_ms"] = nullptr;
    subject.result["state"] = "expired";
    subject.rows.clear();
    const std::string page = page_of(subject);
    EXPECT_THAT(page, HasSubstr("Envoi expiré"));
    EXPECT_THAT(page, HasSubstr("Aucune acceptation."));
    EXPECT_TRUE(check_certificate(page, subject).empty());
    EXPECT_THAT(certificate_page({}, {}), HasSubstr("</html>"));
}

TEST(CertificateTest, TheTextOfAnEventIsNeverMarkup) {
    certificate_subject subject = some_subject();
    subject.event = "crue\"><script>alert(1)</script>";
    subject.title = "<img src=x onerror=alert(1)> & \u202Eevil";
    subject.body = "</blockquote><style>*{display:none}</style>\x01'\"\n-->";
    subject.rows.front().name = "\" onmouseover=\"alert(1)";
    subject.audience = {"<b>"};
    const std::string page = page_of(subject);
    for (const std::string_view evil :
         {"<script", "<img", "</blockquote><style", "\u202E", "\x01", "<b>", "\" onmouseover",
          "data-of=\"crue"}) {
        EXPECT_THAT(page, Not(HasSubstr(evil)));
    }
    EXPECT_THAT(page, HasSubstr("&lt;img src=x onerror=alert(1)&gt; &amp; evil"));
    EXPECT_TRUE(check_certificate(page, subject).empty());
}

TEST(CertificateTest, ItIsTrueOfWhatItWasMadeOf) {
    const certificate_subject subject = some_subject();
    EXPECT_TRUE(check_certificate(page_of(subject), subject).empty());
    std::string sent_by_mail;
    for (const char c : page_of(subject)) {
        sent_by_mail += c == '\n' ? "\r\n" : std::string(1, c);
    }
    EXPECT_TRUE(check_certificate(sent_by_mail + "\r\n", subject).empty());
}

TEST(CertificateTest, ReceiptsThatCameLaterDoNotMakeItFalse) {
    const std::string page = page_of(some_subject());
    certificate_subject later = some_subject();
    for (reach_row& row : later.rows) {
        *row.of(measure::displayed) += 50;
        *row.of(measure::opened) += 1;
    }
    EXPECT_TRUE(check_certificate(page, later).empty());
}

TEST(CertificateTest, AnotherNameOfACommuneDoesNotMakeItFalse) {
    const std::string page = page_of(some_subject());
    certificate_subject later = some_subject();
    later.rows.back().name = "Le Grand Havre";
    EXPECT_TRUE(check_certificate(page, later).empty());
}

/// What a check calls false.
std::set<std::string> false_in(const std::string& page, const certificate_subject& now) {
    std::set<std::string> out;
    for (const auto& one : check_certificate(page, now)) {
        out.insert(one.of);
    }
    return out;
}

TEST(CertificateTest, EveryDigitOfThePageIsChecked) {
    const certificate_subject subject = some_subject();
    const std::string page = page_of(subject);
    for (std::size_t at = 0; at < page.size(); ++at) {
        if (std::isdigit(static_cast<unsigned char>(page[at])) != 0) {
            std::string changed = page;
            changed[at] = page[at] == '9' ? '0' : static_cast<char>(page[at] + 1);
            ASSERT_FALSE(check_certificate(changed, subject).empty()) << page.substr(at, 40);
        }
    }
}

TEST(CertificateTest, ADifferenceIsNamed) {
    struct forgery {
        std::string_view find;
        std::string_view replace;
        std::string_view named;
    };
    const std::vector<forgery> forgeries{
        {"data-of=\"accepted\">12\u202F000", "data-of=\"accepted\">12\u202F001", "accepted"},
        {"communes.76351.opened\">427", "communes.76351.opened\">428", "communes.76351.opened"},
        {"communes.21231.name\">Dijon", "communes.21231.name\">Digne", "communes.21231.name"},
        {"data-of=\"p90_ms\">2,0", "data-of=\"p90_ms\">1,0", "p90_ms"},
        {"data-of=\"state\">Envoi terminé", "data-of=\"state\">Envoi annulé", "state"},
        {"data-of=\"as_of\">lundi", "data-of=\"as_of\">mardi", "as_of"}};
    for (const forgery& one : forgeries) {
        std::string page = page_of(some_subject());
        const std::size_t at = page.find(one.find);
        ASSERT_NE(at, std::string::npos) << one.find;
        page.replace(at, one.find.size(), one.replace);
        EXPECT_EQ(false_in(page, some_subject()), std::set<std::string>{std::string(one.named)}) << one.find;
    }
    std::string page = page_of(some_subject());
    page.insert(page.find("</main>"), "<p>Et 5 000 de plus.</p>\n");
    const auto differences = check_certificate(page, some_subject());
    ASSERT_EQ(differences.size(), 1U);
    EXPECT_THAT(differences.front().of, HasSubstr("line "));
    EXPECT_THAT(differences.front().shown, HasSubstr("Et 5 000 de plus."));
}

TEST(CertificateTest, ReceiptsThatAreMadeUpAreFoundInTheStampToo) {
    // Both what is shown and what the file carries of it, as a global replacement does.
    for (const std::string_view to : {"428", "426"}) {
        std::string page = page_of(some_subject());
        for (std::size_t at = page.find("427"); at != std::string::npos; at = page.find("427", at + 3)) {
            page.replace(at, 3, to);
        }
        EXPECT_FALSE(check_certificate(page, some_subject()).empty()) << to;
    }
}

TEST(CertificateTest, AnotherResultMakesItFalse) {
    certificate_subject other = some_subject();
    other.result["dead"] = 301;  // Still 2,4 % of them.
    EXPECT_EQ(false_in(page_of(some_subject()), other), (std::set<std::string>{"dead", "sha256", "seal"}));
}

TEST(CertificateTest, WhatIsNoCertificateIsTold) {
    for (const std::string_view file :
         {"", "<html></html>", "<meta name=\"tocsin-certificate\" content=\"",
          "<meta name=\"tocsin-certificate\" content=\"{}\">",
          "<meta name=\"tocsin-certificate\" "
          "content=\"{&quot;version&quot;:1,&quot;as_of&quot;:9223372036854775807,"
          "&quot;communes&quot;:{&quot;21231&quot;:[1,2]}}\">"}) {
        EXPECT_FALSE(check_certificate(file, some_subject()).empty()) << file;
    }
}

TEST(CertificateTest, TheDigestDoesNotDependOnTheOrderOfMembers) {
    const auto one = json::parse(R"({"b":{"y":0.36,"x":1},"a":[3,"é"]})").as_object();
    const auto other = json::parse(R"({"a":[3,"\u00e9"],"b":{"x":1,"y":3.6E-1}})").as_object();
    EXPECT_EQ(canonical_json(one), R"({"a":[3,"é"],"b":{"x":1,"y":0.36}})");
    EXPECT_EQ(result_digest(one), result_digest(other));
}

TEST(CertificateTest, AudiencesAreNamedAsPeopleNameThem) {
    const auto places = territories::parse(
                            "insee,name,population,department,epci\n21231,Dijon,160000,21,242100410\n",
                            "epci,name\n242100410,Dijon Métropole\n")
                            .value();
    const auto said = audience_in_french(
        {{selector_kind::commune, "21231"},
         {selector_kind::epci, "242100410"},
         {selector_kind::department, "2A"},
         {selector_kind::zone, "21231:centre"},
         {selector_kind::everyone},
         {selector_kind::commune, "99999"},
         {selector_kind::device, "aa", platform::apns},
         {selector_kind::device, "bb", platform::fcm}},
        places);
    EXPECT_THAT(
        said, ::testing::ElementsAre(
                  "Dijon\u00A0(21231)", "Dijon Métropole\u00A0(242100410)", "département\u00A02A",
                  "Dijon\u00A0(21231), zone «\u00A0centre\u00A0»", "toutes les communes",
                  "commune\u00A099999", "2\u00A0appareils désignés"));
}

}  // namespace
}  // namespace tocsin::proof
