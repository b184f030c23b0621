#include "providers/http2/session.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// What an answer is about, as large as the engine's own (engine/delivery/push.hpp).
struct subject {
    std::array<std::uint64_t, 11> words{};
};

class touching final : public session_events {
public:
    void on_answer(client&, const response& given) noexcept override {
        auto& about = *static_cast<subject*>(given.context);
        about.words[4] += static_cast<std::uint64_t>(given.status);
        about.words[10] += about.words[7];
    }
    void on_failure(client&, const failed_request&) noexcept override {}
    void on_going_away(h2_code, std::string_view) noexcept override {}
};

/// The connections of a busy thread to a provider that answers each request by itself: when a connection's
/// turn has come, a few of its requests have been answered, in no order, and as many new ones take their
/// places.
class spread_traffic {
public:
    static constexpr std::size_t connections = 32;
    static constexpr std::size_t streams = 100;
    static constexpr std::size_t answers_a_turn = 7;

    spread_traffic() : subjects_(connections * streams * 8) {
        std::string settings(6, '\0');
        write_u16(settings.data(), static_cast<std::uint32_t>(setting::max_concurrent_streams));
        write_u32(settings.data() + 2, streams);
        for (std::size_t i = 0; i < connections; ++i) {
            auto& made = lines_.emplace_back(std::make_unique<line>(events_));
            static_cast<void>(made->on.feed(frame_bytes(frame_type::settings, 0, 0, settings), now_));
            made->on.clear_output();
        }
        for (std::size_t sent = 0; sent < streams; sent += answers_a_turn) {
            for (auto& each : lines_) {
                submit(*each, std::min(answers_a_turn, streams - sent));
            }
        }
    }

    /// The answers of the next connection's turn.
    std::string answers() {
        std::string out;
        std::string credit(4, '\0');
        write_u32(credit.data(), answers_a_turn * 200);
        out += frame_bytes(frame_type::window_update, 0, 0, credit);
        std::vector<std::uint32_t>& open = lines_[at_]->open;
        for (std::size_t i = 0; i < answers_a_turn; ++i) {
            std::swap(open[random_() % open.size()], open.back());
            out += frame_bytes(frame_type::headers, frame_flag::end_headers, open.back(), plain_header);
            out += frame_bytes(
                frame_type::data, frame_flag::end_stream, open.back(),
                R"({"name":"projects/mairies-app/messages/0:1795000000000000"})");
            open.pop_back();
        }
        return out;
    }

    void read(std::string_view bytes) { static_cast<void>(lines_[at_]->on.feed(bytes, now_)); }

    void refill() {
        submit(*lines_[at_], answers_a_turn);
        at_ = (at_ + 1) % connections;
    }

private:
    struct line {
        explicit line(session_events& events) : on(session_options{}, events) {}
        session on;
        std::vector<std::uint32_t> open;
        std::uint32_t next = 1;
    };

    void submit(line& into, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            request what;
            what.add(":method", "POST");
            what.add(":path", "/v1/projects/mairies-app/messages:send", indexing::keep);
            what.body[0] = body_;
            what.context = &subjects_[next_subject_++ % subjects_.size()];
            static_cast<void>(into.on.submit(client_, what, now_));
            into.open.push_back(into.next);
            into.next += 2;
        }
        into.on.mark_written(now_);
        into.on.clear_output();
    }

    time_point now_{std::chrono::hours(1)};
    silent_client client_;
    touching events_;
    std::vector<std::unique_ptr<line>> lines_;
    std::vector<subject> subjects_;
    std::size_t next_subject_ = 0;
    std::size_t at_ = 0;
    std::string body_ = std::string(180, 'p');
    std::minstd_rand random_{2'026};
};

void BM_Answer_Spread(benchmark::State& state) {
    spread_traffic load;
    for (auto _ : state) {
        const std::string said = load.answers();
        const auto start = std::chrono::steady_clock::now();
        load.read(said);
        state.SetIterationTime(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        load.refill();
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * spread_traffic::answers_a_turn));
}
BENCHMARK(BM_Answer_Spread)->UseManualTime();

}  // namespace
}  // namespace tocsin::http2
