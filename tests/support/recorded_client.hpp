#pragma once

#include "providers/http2/client.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::testing {

/// A client with a list of bodies to send, that writes down what became of each.
class recorded_client : public http2::client {
public:
    struct outcome {
        std::size_t answers = 0;
        std::size_t failures = 0;
        int status = 0;
        std::string body;
        std::string content_type;
        std::string retry_after;
        std::string provider_id;
        http2::failure why = http2::failure::unknown;
        error_code detail;
        bool written = false;
        std::uint64_t connection = 0;
    };

    /// Queues one more request; returns its number, which is also in its path.
    std::size_t add(std::string body) {
        bodies_.push_back(std::move(body));
        waiting_.push_back(bodies_.size() - 1);
        return bodies_.size() - 1;
    }
    void add_many(std::size_t count, const std::string& body) {
        for (std::size_t i = 0; i < count; ++i) {
            add(body);
        }
    }

    /// A request with the number `index`, as next_request() makes it.
    [[nodiscard]] http2::request make(std::size_t index) {
        http2::request out;
        fill(index, out);
        return out;
    }

    bool next_request(std::uint64_t connection, time_point, http2::request& out) noexcept override {
        if (waiting_.empty()) {
            return false;
        }
        ++given_to[connection];
        ++given_;
        fill(waiting_.front(), out);
        waiting_.pop_front();
        if (on_given) {
            on_given();
        }
        return true;
    }
    [[nodiscard]] bool urgent() const noexcept override { return is_urgent; }
    [[nodiscard]] bool paces_itself() const noexcept override { return is_slow; }

    http2::connection_advice on_response(const http2::response& answer) noexcept override {
        outcome& item = outcomes[index_of(answer.context)];
        ++item.answers;
        item.status = answer.status;
        item.body = answer.body;
        item.content_type = answer.content_type;
        item.retry_after = answer.retry_after;
        item.provider_id = answer.provider_id;
        item.connection = answer.connection;
        item.written = answer.written_at != time_point{};
        ++answered;
        return advice;
    }
    void on_failure(const http2::failed_request& given) noexcept override {
        outcome& item = outcomes[index_of(given.context)];
        ++item.failures;
        item.why = given.why;
        item.detail = given.detail;
        item.connection = given.connection;
        item.written = given.written_at != time_point{};
        ++failed;
        if (send_again && given.why == http2::failure::not_processed) {
            waiting_.push_back(index_of(given.context));
            if (on_requeue) {
                on_requeue();
            }
        }
    }

    [[nodiscard]] std::size_t backlog(duration) const noexcept override {
        return tells_backlog ? waiting_.size() : 0;
    }

    struct word {
        http2::peer_word::kind what;
        std::uint32_t code;
        std::string text;
        bool about_our_certificate;
        std::size_t failed_before;  ///< What had failed when it was heard.
    };
    void on_peer_word(const http2::peer_word& said) noexcept override {
        words.push_back({said.what, said.code, std::string(said.text), said.about_our_certificate(), failed});
    }

    [[nodiscard]] std::size_t open_requests() const noexcept override { return given_ - settled(); }
    [[nodiscard]] std::size_t settled() const noexcept { return answered + failed; }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
    [[nodiscard]] std::size_t count(http2::failure why) const {
        std::size_t total = 0;
        for (const auto& [index, item] : outcomes) {
            total += item.failures != 0 && item.why == why ? 1 : 0;
        }
        return total;
    }

    std::vector<word> words;
    std::map<std::size_t, outcome> outcomes;
    std::map<std::uint64_t, std::size_t> given_to;
    std::size_t answered = 0;
    std::size_t failed = 0;
    bool is_urgent = false;
    bool is_slow = false;        ///< To make requests: paces_itself().
    bool tells_backlog = false;  ///< How much waits, to whoever opens connections.
    bool send_again = false;     ///< Put what was not processed back into the list.
    std::function<void()> on_requeue;
    std::function<void()> on_given;  ///< A request was made, and is not written yet.
    http2::connection_advice advice = http2::connection_advice::keep;
    std::string token = "bearer abcdefghij";

private:
    std::size_t given_ = 0;

    static std::size_t index_of(void* context) noexcept {
        return reinterpret_cast<std::uintptr_t>(context) - 1;
    }

    void fill(std::size_t index, http2::request& out) {
        path_ = "/3/device/" + std::to_string(index);
        out.add(":method", "POST");
        out.add(":scheme", "https");
        out.add(":authority", "push.test");
        out.add(":path", path_, http2::indexing::never);
        out.add("authorization", token);
        out.add("apns-topic", "fr.example.app");
        const std::string_view body = bodies_[index];
        out.body = {body.substr(0, body.size() / 3), body.substr(body.size() / 3, 1), {}};
        if (!body.empty()) {
            out.body[2] = body.substr(body.size() / 3 + out.body[1].size());
        }
        out.context = reinterpret_cast<void*>(static_cast<std::uintptr_t>(index + 1));
    }

    std::deque<std::string> bodies_;  // Addresses must not change while they are being sent.
    std::deque<std::size_t> waiting_;
    std::string path_;
};

}  // namespace tocsin::testing
