#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/push.hpp"
#include "engine/event/subscription.hpp"
#include "engine/ops/metrics.hpp"
#include "providers/auth/es256.hpp"
#include "providers/common/credential_health.hpp"
#include "providers/common/response_counters.hpp"
#include "providers/http2/client.hpp"
#include "providers/http2/dial_gate.hpp"
#include "providers/http2/pool.hpp"
#include "providers/http2/turns.hpp"
#include "providers/webpush/body_store.hpp"
#include "providers/webpush/encryption.hpp"
#include "providers/webpush/line.hpp"
#include "providers/webpush/message.hpp"
#include "providers/webpush/renderer.hpp"
#include "providers/webpush/vapid.hpp"
#include "tests/providers/auth/test_keys.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/recorded_source.hpp"
#include "tests/support/request_fields.hpp"
#include "tests/support/sample_event.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tocsin::webpush {

/// One line to one push service. What it would send and what it says of its pushes is recorded; the test
/// answers in the service's place, and moves the clock.
class line_fixture : public ::testing::Test, private line_owner {
protected:
    void refill(line& whose, time_point now) noexcept override {
        while (push* const item = source.take(now)) {
            whose.add(*item, source.urgent(), now);
        }
    }
    bool may_encrypt(line&) noexcept override { return allowance != 0 && allowance-- != 0; }
    std::size_t coming(const line&, duration) const noexcept override { return in_source; }

    push& add() {
        push& made = pushes.emplace_back();
        made.token = "https://push.example.org/send/a?b=c";
        made.keys = keys;
        made.content = content.get();
        source.waiting.push_back(&made);
        return made;
    }

    std::map<std::string, std::string> next() {
        request.clear();
        if (!subject.next_request(1, time.now(), request)) {
            return {};
        }
        sent.push_back(request.context);
        return testing::fields_of(request);
    }

    http2::connection_advice answer(
        int status, std::string_view retry_after = "", std::string_view body = "") {
        http2::response said;
        said.context = sent.front();
        sent.pop_front();
        said.status = status;
        said.body = body;
        said.retry_after = retry_after;
        said.written_at = said.answered_at = time.now();
        return subject.on_response(said);
    }

    http2::connection_advice exchange(
        int status, std::string_view retry_after = "", std::string_view body = "") {
        add();
        EXPECT_FALSE(next().empty());
        return answer(status, retry_after, body);
    }

    /// Whether the line has asked to be asked since the last look.
    bool asks() {
        loop.restart();
        return loop.poll() != 0;
    }

    [[nodiscard]] const testing::recorded_source::settled& last() const { return source.verdicts.back(); }

    const std::string app = "dijon";
    const std::string keys =
        read_subscription_keys(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg")
            .value();
    testing::manual_time time;
    null_logger log;
    metrics all_metrics;
    metrics_shard& shard = all_metrics.add_shard();
    response_counters counters{shard, "dijon", platform::webpush};
    credential_health health;
    testing::recorded_source source;
    vapid_tokens tokens{
        auth::es256_signer::from_pem(testing::test_key::p256().pem()).value(), "BPublic",
        "mailto:dsi@example.fr"};
    encryptor cipher{encryptor::create().value()};
    body_store bodies;
    std::size_t allowance = 1'000'000;
    std::size_t in_source = 0;
    std::shared_ptr<const rendered_message> content =
        renderer("dijon", "https://www.example.fr/").render(testing::flood_event()).value();
    std::list<push> pushes;
    std::list<void*> sent;
    http2::request request;
    boost::asio::io_context loop{1};
    // It dials nobody.
    http2::pool pool{
        loop.get_executor(),
        {"push.example.org", 443},
        nullptr,
        {},
        {std::make_shared<http2::turns>(loop.get_executor(), time), std::make_shared<http2::dial_gate>(0)},
        time,
        log,
        1};
    line_wiring wiring{app, source, time, log, counters, health, tokens, cipher, bodies, *this};
    line subject{wiring, pool, "https://push.example.org", "push.example.org"};
};

}  // namespace tocsin::webpush
