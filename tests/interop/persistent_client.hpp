#pragma once

#include "providers/http2/client.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace tocsin::testing {

/// A client that sends each of its pushes until it has an answer, as an engine does, and keeps
/// account of what happened to each on the way.
class persistent_client final : public http2::client {
public:
    struct push {
        std::string token;
        std::size_t answers = 0;
        std::size_t not_processed = 0;
        std::size_t unknown = 0;
        int status = 0;
        std::string body;
    };

    /// Device number `n`, whose token begins with `kind` (two hex digits, see the server).
    void add(const std::string& kind, std::size_t n) {
        const std::string number = std::to_string(n);
        push made;
        made.token = kind + std::string(62 - number.size(), '0') + number;
        pushes.push_back(std::move(made));
        waiting_.push_back(pushes.size() - 1);
    }

    bool next_request(std::uint64_t, time_point, http2::request& out) noexcept override {
        if (waiting_.empty()) {
            return false;
        }
        const std::size_t index = waiting_.front();
        waiting_.pop_front();
        path_ = "/3/device/" + pushes[index].token;
        out.add(":method", "POST");
        out.add(":scheme", "https");
        out.add(":authority", "localhost");
        out.add(":path", path_, http2::indexing::never);
        out.add("authorization", "bearer abcdefghij");
        out.add("apns-topic", "fr.example.app");
        out.body = {R"({"aps":{"alert":")", "Crue de l'Ouche", R"("}})"};
        out.context = reinterpret_cast<void*>(static_cast<std::uintptr_t>(index + 1));
        return true;
    }
    [[nodiscard]] bool urgent() const noexcept override { return false; }

    http2::connection_advice on_response(const http2::response& answer) noexcept override {
        push& item = pushes[index_of(answer.context)];
        ++item.answers;
        item.status = answer.status;
        item.body = answer.body;
        ++answered;
        return http2::connection_advice::keep;
    }
    void on_failure(const http2::failed_request& failed) noexcept override {
        const std::size_t index = index_of(failed.context);
        const bool free = failed.why == http2::failure::not_processed;
        ++(free ? pushes[index].not_processed : pushes[index].unknown);
        ++(free ? not_processed : unknown);
        waiting_.push_back(index);
        wake();
    }

    std::vector<push> pushes;
    std::size_t answered = 0;
    std::size_t not_processed = 0;
    std::size_t unknown = 0;
    std::function<void()> wake = [] {};

private:
    static std::size_t index_of(void* context) noexcept {
        return reinterpret_cast<std::uintptr_t>(context) - 1;
    }

    std::deque<std::size_t> waiting_;
    std::string path_;
};

}  // namespace tocsin::testing
