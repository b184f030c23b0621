#pragma once

#include <string>

// Messages in the shapes of the standard's appendix and of real feeds, in words of our own.

namespace tocsin::testing {

struct cap_sample {
    std::string identifier = "FR-21-42";
    std::string sent = "2026-11-23T06:00:00+01:00";
    std::string expires = "2026-11-23T18:00:00+01:00";
    std::string status = "Actual";
    std::string kind = "Alert";
    std::string scope = "Public";
    std::string references{};
    std::string urgency = "Immediate";
    std::string severity = "Severe";
    std::string area =
        "<area><areaDesc>Dijon</areaDesc>"
        "<geocode><valueName>INSEE</valueName><value>21231</value></geocode></area>";
    std::string more_infos{};
    bool info = true;

    [[nodiscard]] std::string text() const {
        std::string out =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\n"
            "  <identifier>" +
            identifier +
            "</identifier>\n"
            "  <sender>prefecture@example.fr</sender>\n"
            "  <sent>" +
            sent +
            "</sent>\n"
            "  <status>" +
            status +
            "</status>\n"
            "  <msgType>" +
            kind +
            "</msgType>\n"
            "  <scope>" +
            scope + "</scope>\n";
        if (!references.empty()) {
            out += "  <references>" + references + "</references>\n";
        }
        if (info) {
            out +=
                "  <info>\n"
                "    <language>fr-FR</language>\n"
                "    <category>Met</category>\n"
                "    <event>Crue</event>\n"
                "    <urgency>" +
                urgency +
                "</urgency>\n"
                "    <severity>" +
                severity +
                "</severity>\n"
                "    <certainty>Observed</certainty>\n"
                "    <expires>" +
                expires +
                "</expires>\n"
                "    <headline>L'Ouche déborde</headline>\n"
                "    <description>Le niveau monte\n      encore.</description>\n"
                "    <instruction>Évitez les quais.</instruction>\n"
                "    <web>https://example.fr/crue</web>\n"
                "    " +
                area +
                "\n"
                "  </info>\n";
        }
        return out + more_infos + "</alert>\n";
    }
};

inline std::string english_info() {
    return "  <info><language>en-GB</language><category>Met</category><event>Flood</event>"
           "<urgency>Future</urgency><severity>Minor</severity><certainty>Likely</certainty>"
           "<headline>The Ouche is rising</headline><description>Stay away.</description>"
           "<area><areaDesc>Dijon Métropole</areaDesc>"
           "<geocode><valueName>SIREN</valueName><value>242100410</value></geocode></area></info>\n";
}

}  // namespace tocsin::testing
