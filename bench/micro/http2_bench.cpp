#include "providers/http2/session.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

// Once per push: the request into frames, and the answer out of them. Both directions of one session, timed
// apart: a request whose answer never came would not leave its stream free.

namespace tocsin::http2 {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t batch = 100;
// :status 200, and an apns-id that is in no table.
constexpr auto plain_header = "\x88"sv;
constexpr auto apns_header =
    "\x88\x00\x07"
    "apns-id"
    "\x24"
    "EC1BF194-B3B2-424A-89A9-5A918A6E6B5D"sv;

std::string frame_bytes(frame_type type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
    std::string out(frame_head_size, '\0');
    write_frame_head(out.data(), payload.size(), type, flags, stream);
    return out.append(payload);
}

class silent_client final : public client {
public:
    bool next_request(std::uint64_t, time_point, request&) noexcept override { return false; }
    [[nodiscard]] bool urgent() const noexcept override { return false; }
    connection_advice on_response(const response& given) noexcept override {
        answered += given.status == 200 ? 1 : 0;
        return connection_advice::keep;
    }
    void on_failure(const failed_request&) noexcept override {}

    std::size_t answered = 0;
};

class forwarding final : public session_events {
public:
    void on_answer(client& who, const response& given) noexcept override {
        static_cast<void>(who.on_response(given));
    }
    void on_failure(client& who, const failed_request& failed) noexcept override { who.on_failure(failed); }
    void on_going_away(h2_code, std::string_view) noexcept override {}
};

/// One session and the requests of one provider's shape: what repeats, a token of its own for each.
class traffic {
public:
    explicit traffic(bool apns) : apns_(apns) {
        std::string settings(6, '\0');
        write_u16(settings.data(), static_cast<std::uint32_t>(setting::max_concurrent_streams));
        write_u32(settings.data() + 2, 1'000);
        static_cast<void>(session_.feed(frame_bytes(frame_type::settings, 0, 0, settings), now_));
        session_.clear_output();
    }

    /// Bytes of the frames.
    std::size_t submit() {
        for (std::size_t i = 0; i < batch; ++i) {
            ++number_;
            // Sixteen characters that differ, as far as compression can see.
            std::uint64_t mixed = number_ * 0x9E37'79B9'7F4A'7C15U;
            for (char& c : apns_ ? path_ : token_) {
                c = static_cast<char>('a' + (mixed >>= 3U) % 6);
                mixed = mixed == 0 ? ~number_ : mixed;
            }
            request what;
            what.add(":method", "POST");
            what.add(":scheme", "https");
            what.add(":authority", "push.test");
            what.add(":path", apns_ ? path_ : project_, apns_ ? indexing::never : indexing::keep);
            what.add("authorization", apns_ ? short_bearer_ : long_bearer_);
            if (apns_) {
                what.add("apns-topic", "fr.example.mairies");
                what.add("apns-push-type", "alert");
                what.add("apns-priority", "10");
                what.add("apns-id", std::string_view(path_).substr(0, 36), indexing::never);
                what.add("apns-expiration", "1795003600");
                what.add("apns-collapse-id", "crue-ouche");
            }
            what.add("content-type", "application/json");
            what.body[0] = apns_ ? std::string_view(payload_) : R"({"message":{"token":")";
            if (!apns_) {
                what.body[1] = token_;
                what.body[2] = payload_;
            }
            static_cast<void>(session_.submit(client_, what, now_));
        }
        const std::size_t size = session_.output().size();
        session_.mark_written(now_);
        session_.clear_output();
        return size;
    }

    /// What the provider says to the last batch, and credit for the next.
    std::string answers() {
        std::string out;
        std::string credit(4, '\0');
        write_u32(credit.data(), batch * 600);
        out += frame_bytes(frame_type::window_update, 0, 0, credit);
        for (std::size_t i = 0; i < batch; ++i, stream_ += 2) {
            const auto whole = static_cast<std::uint8_t>(
                frame_flag::end_headers | (apns_ ? frame_flag::end_stream : frame_flag::none));
            out += frame_bytes(frame_type::headers, whole, stream_, apns_ ? apns_header : plain_header);
            if (!apns_) {
                out += frame_bytes(
                    frame_type::data, frame_flag::end_stream, stream_,
                    R"({"name":"projects/mairies-app/messages/0:1795000000000000"})");
            }
        }
        return out;
    }

    void read(std::string_view bytes) { static_cast<void>(session_.feed(bytes, now_)); }
    [[nodiscard]] std::size_t answered() const noexcept { return client_.answered; }

private:
    bool apns_;
    time_point now_{std::chrono::hours(1)};
    silent_client client_;
    forwarding events_;
    session session_{session_options{}, events_};
    std::uint64_t number_ = 0;
    std::uint32_t stream_ = 1;
    std::string path_ = std::string(74, '/');
    std::string token_ = std::string(163, 't');
    std::string project_ = "/v1/projects/mairies-app/messages:send";
    std::string short_bearer_ = "bearer " + std::string(220, 'j');
    std::string long_bearer_ = "Bearer " + std::string(1'024, 'o');
    std::string payload_ = std::string(180, 'p');
};

void BM_Request_Frame(benchmark::State& state, bool apns) {
    traffic load(apns);
    std::size_t bytes = 0;
    for (auto _ : state) {
        const auto start = std::chrono::steady_clock::now();
        bytes += load.submit();
        state.SetIterationTime(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        load.read(load.answers());
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(load.answered()));
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK_CAPTURE(BM_Request_Frame, apns, true)->UseManualTime();
BENCHMARK_CAPTURE(BM_Request_Frame, fcm, false)->UseManualTime();

void BM_Answer_Decode(benchmark::State& state, bool apns) {
    traffic load(apns);
    std::size_t bytes = 0;
    for (auto _ : state) {
        load.submit();
        const std::string said = load.answers();
        bytes += said.size();
        const auto start = std::chrono::steady_clock::now();
        load.read(said);
        state.SetIterationTime(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(load.answered()));
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK_CAPTURE(BM_Answer_Decode, apns, true)->UseManualTime();
BENCHMARK_CAPTURE(BM_Answer_Decode, fcm, false)->UseManualTime();

}  // namespace
}  // namespace tocsin::http2
