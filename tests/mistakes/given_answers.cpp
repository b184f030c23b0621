#include "tests/mistakes/given_answers.hpp"

#include "engine/core/clock.hpp"
#include "providers/apns/judgement.hpp"
#include "providers/apns/reasons.hpp"
#include "providers/common/no_answer.hpp"
#include "providers/fcm/causes.hpp"
#include "providers/fcm/judgement.hpp"
#include "providers/webpush/answers.hpp"
#include "tools/simulator/reasons.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <string_view>

#include <gtest/gtest.h>

namespace tocsin::testing {
namespace {

// As the manual clock of the test has it.
constexpr wall_time now{std::chrono::milliseconds{1'795'000'000'000}};
constexpr std::string_view since_when = R"("timestamp":1794999999000)";

/// The same status from whoever knows nothing of pushes.
constexpr std::array<std::string_view, 3> foreign_bodies{
    "<!DOCTYPE html>\n<html><head><title>Error</title></head><body>nginx</body></html>\n", "",
    R"({"message":"no Route matched with those values"})"};
/// What proxies and servers of others say, whether a table has a row for it or not.
constexpr std::array<std::uint16_t, 22> usual_statuses{200, 201, 204, 301, 302, 307, 400, 401, 402, 403, 404,
                                                       405, 407, 408, 410, 413, 418, 421, 429, 500, 502, 503};

template <class Judgement>
std::shared_ptr<const verdict> keep(std::shared_ptr<Judgement> made) {
    const verdict* const what = &made->what();
    return {std::move(made), what};
}

std::string called(std::uint16_t status, std::string_view body) {
    return std::to_string(status) + " " + (body.empty() ? "without a body" : std::string(body.substr(0, 60)));
}

/// Neither an answer nor a word: what the HTTP/2 client says of a request.
void add_unanswered(std::vector<given_answer>& to, bool of_one_service) {
    for (const reaction action : {reaction::unknown, reaction::resend}) {
        to.emplace_back(std::string(to_string(action)), [=](std::uint32_t) {
            auto out = std::make_shared<verdict>();
            out->action = action;
            out->reason = action == reaction::unknown ? "Timeout" : "NotProcessed";
            out->of_one_service = of_one_service;
            return out;
        });
    }
}

std::shared_ptr<const verdict> judged_by_apns(
    std::uint16_t status, std::string_view body, std::uint32_t attempts) {
    apns::answer said;
    said.status = status;
    said.body = body;
    return keep(std::make_shared<apns::judgement>(said, attempts, now));
}

void add_apns(std::vector<given_answer>& to, std::uint16_t status, std::string body) {
    to.emplace_back(called(status, body), [status, body](std::uint32_t attempts) {
        return judged_by_apns(status, body, attempts);
    });
}

std::shared_ptr<const verdict> judged_by_fcm(
    std::uint16_t status, std::string_view body, const fcm::surroundings& around, std::uint32_t attempts) {
    fcm::answer said;
    said.status = status;
    said.body = body;
    return keep(std::make_shared<fcm::judgement>(said, around, attempts, now));
}

/// Whatever FCM has said of others before.
void add_fcm(std::vector<given_answer>& to, std::uint16_t status, const std::string& body) {
    for (const bool works : {false, true}) {
        for (const bool accepted : {false, true}) {
            const fcm::surroundings around{.project_works = works, .message_accepted = accepted};
            to.emplace_back(
                called(status, body) + (works ? ", the project works" : "") +
                    (accepted ? ", the message was taken" : ""),
                [status, body, around](std::uint32_t attempts) {
                    return judged_by_fcm(status, body, around, attempts);
                });
        }
    }
}

void add_webpush(std::vector<given_answer>& to, std::uint16_t status, std::string body) {
    to.emplace_back(called(status, body), [status, body](std::uint32_t) {
        webpush::answer said;
        said.status = status;
        said.body = body;
        return keep(std::make_shared<webpush::judgement>(said, now));
    });
}

}  // namespace

std::vector<given_answer> apns_answers() {
    std::vector<given_answer> out;
    std::set<std::uint16_t> statuses(usual_statuses.begin(), usual_statuses.end());
    for (const apns::reason_row& row : apns::reason_table()) {
        statuses.insert(row.status);
        const std::string said = R"({"reason":")" + std::string(row.reason) + '"';
        add_apns(out, row.status, said + "," + std::string(since_when) + "}");
        // Nothing else that Apple says is about the one token for good.
        out.back().certain = row.reason == "Unregistered" || row.reason == "ExpiredToken";
        add_apns(out, row.status, said + "}");
        add_apns(out, row.status == 410 ? 400 : 410, said + "," + std::string(since_when) + "}");
    }
    for (const std::uint16_t status : statuses) {
        for (const std::string_view body : foreign_bodies) {
            add_apns(out, status, std::string(body));
        }
    }
    add_unanswered(out, false);
    return out;
}

std::vector<given_answer> fcm_answers() {
    std::vector<given_answer> out;
    std::set<std::uint16_t> statuses(usual_statuses.begin(), usual_statuses.end());
    const auto known = sim::reasons_of(sim::provider::fcm);
    for (std::size_t i = 0; i < known.size(); ++i) {
        statuses.insert(known[i].status);
        const std::size_t first = out.size();
        add_fcm(out, known[i].status, sim::error_body(sim::provider::fcm, static_cast<sim::reason_index>(i)));
        std::for_each(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(), [&](given_answer& one) {
            one.certain = known[i].name == "UNREGISTERED";
        });
    }
    for (const std::uint16_t status : statuses) {
        for (const std::string_view body : foreign_bodies) {
            add_fcm(out, status, std::string(body));
        }
    }
    add_unanswered(out, false);
    return out;
}

std::vector<given_answer> webpush_answers() {
    std::vector<given_answer> out;
    std::set<std::uint16_t> statuses(usual_statuses.begin(), usual_statuses.end());
    // Mozilla's numbers of a subscription that has ended.
    const std::set<std::string_view> ended{"102", "103", "105", "106"};
    for (const webpush::answer_row& row : webpush::answer_table()) {
        const bool a_number = !row.said.empty() && row.said.front() >= '0' && row.said.front() <= '9';
        const std::string said(row.said);
        std::string body = "{}";
        if (!said.empty()) {
            body = a_number ? R"({"errno":)" + said + "}" : R"({"reason":")" + said + R"("})";
        }
        for (const std::uint16_t status : {row.first, row.last}) {
            add_webpush(out, status, said == "vapid" ? said : said == "page" ? "<html>" : body);
            // RFC 8030: the numbers alone say that there is no such subscription any more.
            out.back().certain = ended.contains(said) || (said.empty() && (status == 404 || status == 410));
            statuses.insert(status);
        }
    }
    for (const std::uint16_t status : statuses) {
        for (const std::string_view body : foreign_bodies) {
            add_webpush(out, status, std::string(body));
            const bool a_page = !body.empty() && body.front() == '<';
            out.back().certain = !a_page && (status == 404 || status == 410);
        }
    }
    add_unanswered(out, true);
    return out;
}

TEST(GivenAnswers, AreOfEveryCauseThatFcmIsJudgedBy) {
    std::set<fcm::cause> seen;
    const auto known = sim::reasons_of(sim::provider::fcm);
    for (std::size_t i = 0; i < known.size(); ++i) {
        const std::string body = sim::error_body(sim::provider::fcm, static_cast<sim::reason_index>(i));
        for (const fcm::surroundings around :
             {fcm::surroundings{false, false}, fcm::surroundings{true, false},
              fcm::surroundings{true, true}}) {
            fcm::answer said;
            said.status = known[i].status;
            said.body = body;
            seen.insert(fcm::judgement(said, around, 0, now).why());
        }
    }
    for (const fcm::cause_row& row : fcm::cause_table()) {
        EXPECT_TRUE(seen.contains(row.why)) << row.meaning;
    }
}

}  // namespace tocsin::testing
