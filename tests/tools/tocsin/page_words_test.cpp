#include "providers/apns/reasons.hpp"
#include "providers/common/no_answer.hpp"
#include "providers/fcm/causes.hpp"
#include "providers/webpush/answers.hpp"

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

struct translation {
    std::string english;
    std::string french;
};

/// The page's list: a line for each reason.
std::map<std::string, translation> page_words() {
    std::ifstream file(std::string(TOCSIN_PAGE_FOLDER) + "/reasons.js");
    const std::regex entry(R"re(^  (?:"([^"]+)"|(\w+)): \["([^"]+)", "([^"]+)"\],$)re");
    std::map<std::string, translation> out;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        std::smatch found;
        if (std::regex_match(line, found, entry)) {
            const std::string name = found[1].matched ? found[1] : found[2];
            EXPECT_TRUE(out.emplace(name, translation{found[3], found[4]}).second) << name << " stands twice";
        } else {
            EXPECT_TRUE(!inside || line == "};") << "what is this: " << line;
        }
        inside = (inside || line == "const tocsinReasons = {") && line != "};";
    }
    return out;
}

/// Every reason that a provider's table holds, as results name it.
std::vector<std::string> reasons_of_the_tables() {
    std::vector<std::string> out;
    for (const apns::reason_row& row : apns::reason_table()) {
        if (!row.reason.empty()) {
            out.push_back("apns:" + std::string(row.reason));
        }
    }
    for (const webpush::answer_row& row : webpush::answer_table()) {
        if (!row.word.empty()) {
            out.push_back("webpush:" + std::string(row.word));
        }
    }
    for (const std::string_view word : webpush::own_reasons()) {
        out.push_back("webpush:" + std::string(word));
    }
    for (const std::string_view code : fcm::documented_codes()) {
        out.push_back("fcm:" + std::string(code));
    }
    for (const std::string_view platform : {"apns:", "fcm:", "webpush:"}) {
        for (const std::string_view word : no_answer_reasons()) {
            out.push_back(std::string(platform) + std::string(word));
        }
    }
    return out;
}

std::string without_platform(const std::string& reason) {
    return reason.substr(reason.find(':') + 1);
}

TEST(PageWords, ThereIsASentenceForEveryReasonOfEveryProvider) {
    const auto words = page_words();
    ASSERT_FALSE(words.empty());
    for (const std::string& reason : reasons_of_the_tables()) {
        EXPECT_TRUE(words.contains(reason) || words.contains(without_platform(reason))) << reason;
    }
}

TEST(PageWords, EverySentenceIsSaidInTwoLanguages) {
    for (const auto& [reason, said] : page_words()) {
        EXPECT_NE(said.english, said.french) << reason;
    }
}

// A word that is in no table any more would never be shown, and nobody would see it.
TEST(PageWords, NoSentenceIsOfAReasonThatThereIsNot) {
    const auto known = reasons_of_the_tables();
    std::set<std::string> shown(known.begin(), known.end());
    for (const std::string& reason : known) {
        shown.insert(without_platform(reason));
    }
    // Google's own statuses, of which there is no table, and the engine's words.
    for (const char* const other :
         {"fcm:INVALID_ARGUMENT", "fcm:NOT_FOUND", "fcm:NoReason", "fcm:PERMISSION_DENIED",
          "fcm:RESOURCE_EXHAUSTED", "fcm:UNAUTHENTICATED", "engine:DamagedEvent", "engine:DamagedRoster",
          "engine:PoisonShard", "CredentialUnusable", "DeviceForgotten", "EventRejected", "NoProvider",
          "ProviderUnreachable"}) {
        shown.insert(other);
    }
    for (const auto& [reason, said] : page_words()) {
        EXPECT_TRUE(shown.contains(reason)) << reason;
    }
}

/// The rows of tables of the page on answers: their cells, without what marks code.
std::vector<std::vector<std::string>> rows_of_answers() {
    std::ifstream file(std::string(TOCSIN_DOCS_FOLDER) + "/reference/provider-answers.md");
    std::vector<std::vector<std::string>> out;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("| ")) {
            std::vector<std::string> cells;
            const std::regex cell(R"( ([^|]*) \|)");
            for (std::sregex_iterator at(line.begin(), line.end(), cell), end; at != end; ++at) {
                cells.push_back(std::regex_replace((*at)[1].str(), std::regex("`"), ""));
            }
            out.push_back(std::move(cells));
        }
    }
    return out;
}

// In the order of the table, in which the first match counts.
TEST(AnswersPage, HasEveryRowOfTheTableOfPushServices) {
    const std::regex status_cell(R"(\d{3}( to \d{3})?|anything else)");
    std::vector<std::vector<std::string>> shown;
    for (const auto& cells : rows_of_answers()) {
        // APNs' rows say in the fourth cell what becomes of the connection.
        if (cells.size() == 5 && std::regex_match(cells[0], status_cell) && cells[3] != "kept" &&
            cells[3] != "drained") {
            shown.push_back(cells);
        }
    }
    std::vector<std::vector<std::string>> wanted;
    for (const webpush::answer_row& row : webpush::answer_table()) {
        std::string status = row.first == 0 ? "anything else" : std::to_string(row.first);
        status += row.first == 0 || row.first == row.last ? "" : " to " + std::to_string(row.last);
        wanted.push_back(
            {status, std::string(row.said), std::string(row.word), std::string(to_string(row.action)),
             std::string(row.meaning)});
    }
    EXPECT_EQ(shown, wanted);
}

TEST(AnswersPage, HasEveryReasonOfApns) {
    std::set<std::vector<std::string>> shown;
    for (const auto& cells : rows_of_answers()) {
        if (cells.size() == 5) {
            const std::string reaction = cells[2].substr(0, cells[2].find(' '));
            shown.insert({cells[0], cells[1], reaction, cells[4]});
        }
    }
    for (const apns::reason_row& row : apns::reason_table()) {
        const std::vector<std::string> wanted{
            std::to_string(row.status), std::string(row.reason), std::string(to_string(row.action)),
            std::string(row.meaning)};
        EXPECT_TRUE(row.reason.empty() || shown.contains(wanted)) << row.status << " " << row.reason;
    }
}

}  // namespace
}  // namespace tocsin
