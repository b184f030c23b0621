#include "tools/cap/cap_message.hpp"

#include "tests/tools/cap/cap_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using testing::cap_sample;
using ::testing::HasSubstr;
using ::testing::StartsWith;

refusal refused(const std::string& document) {
    const auto message = read_cap(document);
    EXPECT_TRUE(message.has_error()) << document;
    return message.has_error() ? message.error() : refusal();
}

std::string with(std::string document, std::string_view from, std::string_view to) {
    const std::size_t at = document.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return document.replace(at, from.size(), to);
}

TEST(CapMessage, ReadsWhatAnAlertSays) {
    cap_sample sample;
    sample.more_infos = testing::english_info();
    const auto message = read_cap(sample.text());
    ASSERT_TRUE(message.has_value()) << message.error().message;
    EXPECT_EQ(message->name.identifier, "FR-21-42");
    EXPECT_EQ(message->kind, cap_kind::alert);
    ASSERT_EQ(message->infos.size(), 2U);
    EXPECT_EQ(message->infos[0].headline, "L'Ouche déborde");
    EXPECT_EQ(message->infos[0].severity, cap_severity::severe);
    EXPECT_EQ(message->infos[1].areas.at(0).geocodes.at(0).system, "SIREN");
}

TEST(CapMessage, ReadsReferences) {
    cap_sample sample;
    sample.kind = "Update";
    sample.references = "a@b.fr,1,2026-11-23T05:00:00+01:00\n a@b.fr,2,2026-11-23T05:30:00-00:00";
    const auto message = read_cap(sample.text());
    ASSERT_TRUE(message.has_value()) << message.error().message;
    ASSERT_EQ(message->references.size(), 2U);
    EXPECT_EQ(message->references[1].identifier, "2");
}

TEST(CapMessage, ToleratesASignatureAndPrefixes) {
    std::string document = cap_sample().text();
    document = with(
        document, "</alert>",
        "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><x/></Signature></alert>");
    EXPECT_TRUE(read_cap(document).has_value());
    const std::string prefixed =
        "<c:alert "
        "xmlns:c=\"urn:oasis:names:tc:emergency:cap:1.2\"><c:identifier>1</c:identifier><c:sender>a</"
        "c:sender>"
        "<c:sent>2026-11-23T05:00:00+01:00</c:sent><c:status>Test</c:status><c:msgType>Ack</c:msgType>"
        "<c:scope>Public</c:scope></c:alert>";
    EXPECT_TRUE(read_cap(prefixed).has_value());
}

struct fault {
    std::string_view name;
    std::string_view from;
    std::string_view to;
    std::string_view line;
    std::string_view says;
};
void PrintTo(const fault& given, std::ostream* out) {
    *out << given.name;
}

class CapFaultTest : public ::testing::TestWithParam<fault> {};

TEST_P(CapFaultTest, IsRefusedWithItsLine) {
    const refusal why = refused(with(cap_sample().text(), GetParam().from, GetParam().to));
    EXPECT_THAT(why.message, StartsWith(std::string(GetParam().line) + ": "));
    EXPECT_THAT(why.message, HasSubstr(std::string(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(
    Every, CapFaultTest,
    ::testing::Values(
        fault{"NotXml", "</info>", "</inf>", "line 23", "not XML"},
        fault{"OtherNamespace", "cap:1.2", "cap:1.1", "line 2", "CAP 1.2"},
        fault{"MissingSender", "  <sender>prefecture@example.fr</sender>\n", "", "line 2", "sender"},
        fault{"EmptyIdentifier", "FR-21-42", " ", "line 3", "identifier"},
        fault{"IdentifierWithBlank", "FR-21-42", "FR 21", "line 3", "identifier"},
        fault{"SentWithoutZone", "06:00:00+01:00", "06:00:00", "line 5", "sent"},
        fault{"UnknownStatus", "Actual", "Real", "line 6", "status"},
        fault{"MisspeltKind", ">Alert<", ">alert<", "line 7", "msgType"},
        fault{"NotPublic", "Public", "Private", "line 8", "scope"},
        fault{"UnknownElement", "<headline>", "<headlin>x</headlin><headline>", "line 17", "headline"},
        fault{"TwoEvents", "<event>Crue</event>", "<event>a</event><event>b</event>", "line 12", "twice"},
        fault{"UnknownUrgency", ">Immediate<", ">Now<", "line 13", "urgency"},
        fault{"SeverityOfOldTimes", ">Severe<", ">severe<", "line 14", "Severe"},
        fault{"NoCertainty", "    <certainty>Observed</certainty>\n", "", "line 9", "certainty"},
        fault{"ExpiresIsNoTime", "2026-11-23T18:00:00+01:00", "tomorrow", "line 16", "expires"},
        fault{"GeocodeWithoutValue", "<value>21231</value>", "", "line 22", "value"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(CapMessage, RefusesAFeedWithAHint) {
    EXPECT_THAT(refused("<feed xmlns=\"http://www.w3.org/2005/Atom\"></feed>").message, HasSubstr("feed"));
}

TEST(CapMessage, AnUpdateMustSayWhatItIsAbout) {
    cap_sample sample;
    sample.kind = "Update";
    EXPECT_THAT(refused(sample.text()).message, HasSubstr("references"));
    sample.references = "nonsense";
    EXPECT_THAT(refused(sample.text()).message, HasSubstr("sender,identifier,sent"));
}

TEST(CapMessage, ABillionLaughsAndAnExternalEntityAreRefusedAtTheirDoctype) {
    const std::string laughs =
        "<?xml version=\"1.0\"?>\n<!DOCTYPE alert [<!ENTITY a \"ha\"><!ENTITY b "
        "\"&a;&a;&a;&a;&a;&a;&a;&a;\">]>\n"
        "<alert>&b;</alert>";
    EXPECT_EQ(refused(laughs).code, "doctype");
    EXPECT_THAT(refused(laughs).message, StartsWith("line 2: "));
    const std::string external =
        "<!DOCTYPE alert [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><alert>&x;</alert>";
    EXPECT_EQ(refused(external).code, "doctype");
    EXPECT_EQ(refused("<!DOCTYPE alert SYSTEM \"http://127.0.0.1:1/x.dtd\"><alert/>").code, "doctype");
}

TEST(CapMessage, DepthAndNumberOfElementsAreBounded) {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) {
        deep += "<a>";
    }
    EXPECT_EQ(refused(deep).code, "too_large");
    std::string wide = "<a>";
    for (int i = 0; i < 300'000; ++i) {
        wide += "<b/>";
    }
    EXPECT_EQ(refused(wide + "</a>").code, "too_large");
    EXPECT_EQ(refused(std::string(5 * 1024 * 1024, ' ')).code, "too_large");
}

}  // namespace
}  // namespace tocsin
