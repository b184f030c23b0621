#include "providers/http2/session.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <array>
#include <chrono>

// A peer that sends anything: each request must end exactly once. One byte of what we do, then a piece of
// what the peer sends, and so on.

using namespace tocsin;

namespace {

class counting_client final : public http2::client {
public:
    static constexpr std::size_t most = 64;

    [[nodiscard]] bool next_request(std::uint64_t, time_point, http2::request&) noexcept override {
        return false;
    }
    [[nodiscard]] bool urgent() const noexcept override { return false; }
    http2::connection_advice on_response(const http2::response& answer) noexcept override {
        // Read what is offered: a view into freed memory shows under a sanitizer.
        for (const std::string_view text :
             {answer.body, answer.content_type, answer.retry_after, answer.provider_id}) {
            for (const char c : text) {
                seen += static_cast<unsigned char>(c);
            }
        }
        fuzz::require(answer.body.size() <= std::size_t{16} * 1024);
        end(answer.context);
        return http2::connection_advice::keep;
    }
    void on_failure(const http2::failed_request& failed) noexcept override { end(failed.context); }

    std::array<int, most> ended{};
    std::size_t seen = 0;

private:
    void end(void* context) noexcept {
        fuzz::require(++ended[reinterpret_cast<std::uintptr_t>(context)] == 1);
    }
};

class silent_events final : public http2::session_events {
public:
    void on_answer(http2::client& who, const http2::response& answer) noexcept override {
        static_cast<void>(who.on_response(answer));
    }
    void on_failure(http2::client& who, const http2::failed_request& failed) noexcept override {
        who.on_failure(failed);
    }
    void on_going_away(http2::h2_code, std::string_view) noexcept override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace std::chrono_literals;
    fuzz::choices given(fuzz::text_of(data, size));
    silent_events events;
    counting_client client;
    http2::session session(http2::session_options{}, events);
    time_point now{1h};
    std::size_t submitted = 0;
    const auto submit = [&] {
        if (submitted == counting_client::most) {
            return;
        }
        http2::request what;
        what.add(":method", "POST");
        what.add(":scheme", "https");
        what.add(":authority", "push.test");
        what.add(":path", "/3/device/ab", http2::indexing::never);
        what.body[0] = R"({"aps":{"alert":"x"}})";
        what.context = reinterpret_cast<void*>(submitted);
        if (!session.submit(client, what, now)) {
            ++submitted;
        }
    };
    while (!given.empty()) {
        const std::uint8_t what = given.byte();
        switch (what % 8) {
            case 0:
            case 1:
            case 2:
            case 3:
                for (unsigned i = 0; i <= what / 64U; ++i) {
                    submit();
                }
                break;
            case 4: session.ping(); break;
            case 5:
                now += std::chrono::seconds(what);
                session.expire(now);
                break;
            case 6: session.mark_written(now); [[fallthrough]];
            default: session.clear_output(); break;
        }
        const std::size_t count = given.byte();
        const bool broken = static_cast<bool>(session.feed(given.bytes(count), now));
        static_cast<void>(session.credit());
        if (broken) {
            break;
        }
    }
    session.fail_all(http2::http2_errc::connection_lost);
    fuzz::require(session.in_flight() == 0);
    for (std::size_t i = 0; i < submitted; ++i) {
        fuzz::require(client.ended[i] == 1);
    }
    return 0;
}
