#include "engine/core/plain_json.hpp"
#include "engine/live/live_view.hpp"
#include "engine/live/parsed_document.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/runtime/deadline.hpp"

#include <algorithm>
#include <utility>

// One event with everything about it, kept for a moment for all who ask.

namespace tocsin {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

constexpr std::size_t details_kept = 32;
constexpr duration least_rest = 1s;
// What a detail costs to read is spent at most a fiftieth of the time, unless somebody would be shown too old
// a state.
constexpr int detail_rest = 50;
constexpr duration longest_rest = 5s;

}  // namespace

asio::awaitable<result<std::shared_ptr<const std::string>>> live_view::event(
    std::string id, bool with_communes) {
    for (;;) {
        const auto kept = details_.find(id);
        if (kept != details_.end() && time_.now() < kept->second.good_until) {
            co_return with_communes ? kept->second.whole : kept->second.brief;
        }
        if (!reading_detail_ || stopped_) {
            break;
        }
        co_await detail_read_.wait();
    }
    reading_detail_ = true;
    const time_point began = time_.now();
    std::string wanted = id;
    auto fresh = co_await with_deadline(read_detail(std::move(wanted)), clock::now() + 5s);
    reading_detail_ = false;
    detail_read_.notify_all();
    if (fresh.has_error()) {
        co_return fresh.error();
    }
    const time_point now = time_.now();
    fresh->good_until = now + std::clamp<duration>((now - began) * detail_rest, least_rest, longest_rest);
    if (details_.size() >= details_kept && !details_.contains(id)) {
        details_.erase(
            std::ranges::min_element(details_, {}, [](const auto& one) { return one.second.good_until; }));
    }
    const detail& stored = details_[id] = std::move(*fresh);
    co_return with_communes ? stored.whole : stored.brief;
}

asio::awaitable<result<live_view::detail>> live_view::read_detail(std::string id) {
    ledger book(redis_, keys_, std::string());
    const auto fields = co_await book.read(id);
    if (fields.has_error()) {
        co_return fields.error();
    }
    detail out;
    if (fields->empty()) {
        co_return out;
    }
    json::value stored = nullptr;
    if (const auto found = fields->find("result"); found != fields->end()) {
        stored = parsed_or_null(found->second);
    }
    json::object document = event_detail(read_heading(*fields), read_report(id, *fields), places_, &stored);
    out.whole = std::make_shared<const std::string>(plain_json(document) + "\n");
    document.erase("communes");
    out.brief = std::make_shared<const std::string>(plain_json(document) + "\n");
    co_return out;
}

}  // namespace tocsin
