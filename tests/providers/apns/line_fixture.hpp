#pragma once

#include "engine/ops/metrics.hpp"
#include "providers/apns/line.hpp"
#include "providers/apns/renderer.hpp"
#include "tests/providers/auth/test_keys.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/recorded_source.hpp"
#include "tests/support/request_fields.hpp"
#include "tests/support/sample_event.hpp"

#include <list>
#include <map>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::apns {

using testing::recorded_log;

class ApnsLineTest : public ::testing::Test {
protected:
    ApnsLineTest() {
        auto event = testing::flood_event();
        event.expires_at = time.wall_now() + std::chrono::hours(1);
        content = renderer("dijon", "fr.example.dijon", false).render(event).value();
    }

    push& add(bool for_sandbox = false, const std::string& device = std::string(32, '\xAB')) {
        push& made = pushes.emplace_back();
        made.token = tokens.emplace_back(device);
        made.content = content.get();
        made.sandbox = for_sandbox;
        source.waiting.push_back(&made);
        return made;
    }

    [[nodiscard]] line_wiring wiring() { return {app, source, time, log, counters, health, &token}; }

    /// The fields of the next request; empty if there is none.
    std::map<std::string, std::string> next(line& from) {
        request.clear();
        if (!from.next_request(connection, time.now(), request)) {
            return {};
        }
        return testing::fields_of(request);
    }

    http2::connection_advice answer(line& to, int status, std::string_view body = "") {
        return answer(to, *static_cast<push*>(request.context), status, body);
    }
    http2::connection_advice answer(line& to, push& item, int status, std::string_view body) {
        http2::response said;
        said.context = &item;
        said.status = status;
        said.body = body;
        said.provider_id = "the-id";
        said.connection = connection;
        said.written_at = time.now();
        said.answered_at = time.now();
        return to.on_response(said);
    }

    const std::string app = "dijon";
    testing::manual_time time;
    recorded_log log;
    metrics all_metrics;
    metrics_shard& shard = all_metrics.add_shard();
    response_counters counters{shard, "dijon", platform::apns};
    credential_health health;
    auth::provider_token token{
        auth::es256_signer::from_pem(testing::test_key::p256().pem()).value(), "TEAM", "KEY", time, 1};
    testing::recorded_source source;
    std::shared_ptr<const rendered_message> content;
    std::list<push> pushes;
    std::list<std::string> tokens;
    http2::request request;
    std::uint64_t connection = 1;
    int production_wakes = 0;
    int sandbox_wakes = 0;
    line production{wiring(), "api.push.apple.com", false, [this] { ++production_wakes; }};
    line sandbox{wiring(), "api.sandbox.push.apple.com", true, [this] { ++sandbox_wakes; }};
};

}  // namespace tocsin::apns
