#include "providers/apns/reasons.hpp"
#include "providers/fcm/causes.hpp"
#include "tests/e2e/answer_rows.hpp"
#include "tests/e2e/engine_fixture.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

// Every answer that the providers' tables know, from the simulator's wire to the result, the metrics and the
// store.

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::answer_row;
using testing::apns_token;
using testing::fate_of;
using testing::fcm_token;
using testing::number;
using testing::registration_line;

/// One row on its way through the engine.
struct traveller {
    const answer_row* row = nullptr;
    bool apns = false;
    std::string app;
    std::string token;
    std::string event;

    [[nodiscard]] const char* platform() const { return apns ? "apns" : "fcm"; }
};

/// Devices that no row is about: they make FCM accept something.
constexpr std::size_t first_companion = 5'000;

class AnswerTableTest : public testing::engine_fixture {
protected:
    /// One app for each row that stops its lane, so that no row waits for another.
    void make_apps() {
        std::size_t apns = 0;
        std::size_t fcm = 0;
        for (const answer_row& row : testing::apns_rows()) {
            apns += testing::needs_own_app(row) ? 1 : 0;
        }
        for (const answer_row& row : testing::fcm_rows()) {
            fcm += testing::needs_own_app(row) ? 1 : 0;
        }
        for (std::size_t i = 0; i < std::max(apns, fcm); ++i) {
            sim::app_options app;
            const std::string number = std::to_string(10 + i);
            app.id = "own-" + number;
            app.communes = {"21231"};
            app.topic = "fr.example.own" + number;
            app.team_id = "OWNTEAM0" + number;
            app.key_id = "OWNKEY00" + number;
            app.project_id = "own-app-" + number;
            options.apps.push_back(app);
        }
    }

    void add_rows(const std::vector<answer_row>& rows, bool apns) {
        std::size_t own = 10;
        for (const answer_row& row : rows) {
            traveller made;
            made.row = &row;
            made.apns = apns;
            made.app = testing::needs_own_app(row) ? "own-" + std::to_string(own++) : "mairies";
            made.token = apns ? apns_token(travellers.size()) : fcm_token(travellers.size());
            made.event = std::string("row-") + made.platform() + "-" + std::to_string(travellers.size());
            travellers.push_back(made);
        }
    }

    /// Tells the simulator what each of the tokens is answered the first time.
    void script() {
        json::array apns;
        json::array fcm;
        for (const traveller& each : travellers) {
            json::array then;
            if (!each.row->reason.empty()) {
                json::object answer{{"reason", each.row->reason}};
                if (each.row->after_success) {
                    // Late enough for the same message to have been accepted for another device.
                    answer["delay_ms"] = 1'500;
                }
                then.push_back(std::move(answer));
            }
            (each.apns ? apns : fcm).push_back(json::object{{"token", each.token}, {"then", then}});
        }
        const auto done = providers->change(
            json::object{{"apns", json::object{{"answers", apns}}}, {"fcm", json::object{{"answers", fcm}}}});
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }

    void register_devices() {
        std::string lines;
        for (std::size_t i = 0; i < travellers.size(); ++i) {
            const traveller& each = travellers[i];
            lines += registration_line(each.app, each.platform(), each.token, {"commune:21231"});
            if (each.row->after_success) {
                lines +=
                    registration_line("mairies", "fcm", fcm_token(first_companion + i), {"commune:21231"});
            }
        }
        import(lines);
    }

    void publish_row(std::size_t index) {
        const traveller& each = travellers[index];
        json::array audience{std::string("device:") + each.platform() + ":" + each.token};
        if (each.row->after_success) {
            audience.push_back(json::string("device:fcm:" + fcm_token(first_companion + index)));
        }
        publish(json::serialize(json::object{
            {"id", each.event},
            {"audience", audience},
            {"apps", json::array{each.app}},
            {"ttl", each.row->ttl_seconds},
            {"notification", json::object{{"title", "Essai"}}}}));
    }

    [[nodiscard]] std::string metrics_text() const {
        namespace http = boost::beast::http;
        const std::size_t colon = options.admin_listen.rfind(':');
        boost::asio::io_context loop;
        boost::asio::ip::tcp::socket socket(loop);
        socket.connect(
            {boost::asio::ip::make_address(options.admin_listen.substr(0, colon)),
             static_cast<std::uint16_t>(std::stoul(options.admin_listen.substr(colon + 1)))});
        http::request<http::empty_body> request(http::verb::get, "/metrics", 11);
        request.set(http::field::host, options.admin_listen);
        http::write(socket, request);
        boost::beast::flat_buffer buffer;
        http::response<http::string_body> response;
        http::read(socket, buffer, response);
        return response.body();
    }

    /// tocsin_provider_responses_total of this app, platform, status and reason.
    [[nodiscard]] static std::size_t responses(
        const std::string& text, const traveller& of, std::uint16_t status, std::string_view reason) {
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            const auto has = [&line](std::string_view label, std::string_view value) {
                return line.find(std::string(label) + "=\"" + std::string(value) + "\"") != std::string::npos;
            };
            if (line.starts_with("tocsin_provider_responses_total{") && has("app", of.app) &&
                has("platform", of.platform()) && has("status", std::to_string(status)) &&
                has("reason", reason)) {
                return std::stoul(line.substr(line.rfind(' ') + 1));
            }
        }
        return 0;
    }

    void expect_result(const traveller& each) {
        const json::object result = wait_for_result(each.event);
        testing::expect_sums_agree(result);
        const std::int64_t companions = each.row->after_success ? 1 : 0;
        EXPECT_EQ(number(result, "targeted"), 1 + companions);
        const char* const outcome = testing::outcome_of(*each.row);
        EXPECT_EQ(number(result, outcome), 1 + (std::string(outcome) == "accepted" ? companions : 0))
            << json::serialize(result);
        EXPECT_EQ(number(result, "possible_duplicates"), 0);
        const bool charged = each.row->what == fate_of::retried || each.row->what == fate_of::late;
        EXPECT_EQ(number(result, "retries"), charged ? 1 : 0);
    }

    std::vector<traveller> travellers;
};

TEST_F(AnswerTableTest, EveryAnswerHasItsReactionInResultMetricsAndStore) {
    make_apps();
    add_rows(testing::apns_rows(), true);
    add_rows(testing::fcm_rows(), false);
    options.threads = 1;
    start_engine();
    script();
    register_devices();
    for (std::size_t i = 0; i < travellers.size(); ++i) {
        publish_row(i);
    }
    std::size_t dead = 0;
    for (const traveller& each : travellers) {
        SCOPED_TRACE(each.event + " " + std::string(each.row->reason) + " of " + each.app);
        expect_result(each);
        dead += each.row->what == fate_of::dead ? 1 : 0;
    }
    wait_for_length("feedback", dead);
    EXPECT_EQ(entries("feedback").size(), dead);

    const std::string numbers = metrics_text();
    const auto exported = tocsin({"devices", "export", "--show-tokens"});
    ASSERT_EQ(exported.exit_code, 0) << exported.err;
    for (const traveller& each : travellers) {
        SCOPED_TRACE(each.event + " " + std::string(each.row->reason) + " of " + each.app);
        EXPECT_EQ(
            exported.out.find("\"" + each.token + "\"") == std::string::npos, each.row->what == fate_of::dead)
            << "what remains in the store";
        const auto alike = std::ranges::count_if(travellers, [&each](const traveller& other) {
            return other.app == each.app && other.apns == each.apns &&
                   other.row->status == each.row->status && other.row->counted_as == each.row->counted_as;
        });
        if (!each.row->reason.empty()) {
            EXPECT_EQ(
                responses(numbers, each, each.row->status, each.row->counted_as),
                static_cast<std::size_t>(alike));
        }
    }
    EXPECT_EQ(providers->stats().at("stream_limit_violations"), 0);
    EXPECT_EQ(stop_engine(), 0);
}

TEST(AnswerRows, CoverTheTablesWhole) {
    std::set<std::string_view> walked;
    for (const answer_row& row : testing::apns_rows()) {
        walked.insert(row.reason);
    }
    for (const auto& row : apns::reason_table()) {
        EXPECT_TRUE(walked.contains(row.reason)) << row.reason;
        const auto& rows = testing::apns_rows();
        const auto found = std::ranges::find(rows, row.reason, &answer_row::reason);
        EXPECT_EQ(found->status, row.status) << row.reason;
    }
    EXPECT_EQ(walked.size(), apns::reason_table().size() + 1) << "and success";
    std::set<fcm::cause> causes;
    for (const answer_row& row : testing::fcm_rows()) {
        causes.insert(row.cause);
    }
    EXPECT_EQ(causes.size(), fcm::cause_table().size());
}

}  // namespace
}  // namespace tocsin
