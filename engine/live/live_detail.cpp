#include "engine/core/plain_json.hpp"
#include "engine/live/live_view.hpp"
#include "engine/live/parsed_document.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/runtime/deadline.hpp"

#include <algorithm>
#include <utility>
#include <vector>

// One event with everything about it, kept for a moment for all who ask.

namespace tocsin {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

constexpr std::size_t details_kept = 32;
constexpr duration least_rest = 1s;
// What a detail costs to read is spent at most a two-hundredth of the time, unless somebody would be shown
// too old a state.
constexpr int detail_rest = 200;
constexpr duration longest_rest = 10s;
// Who follows asks again after each look; a page that was closed does not.
constexpr auto following_lasts = 5s;
constexpr std::size_t followed_kept = 32;
constexpr std::size_t followed_a_look = 4;
// Longer than this the state of everything does not wait for one event.
constexpr auto patience = 500ms;

}  // namespace

asio::awaitable<result<std::shared_ptr<const std::string>>> live_view::event(
    std::string id, bool with_communes) {
    const detail_key key(std::move(id), with_communes);
    for (;;) {
        const auto kept = details_.find(key);
        if (kept != details_.end() && time_.now() < kept->second.good_until) {
            co_return kept->second.text;
        }
        if (!reading_detail_ || stopped_) {
            break;
        }
        co_await detail_read_.wait();
    }
    reading_detail_ = true;
    const time_point began = time_.now();
    detail_key wanted = key;
    auto fresh = co_await with_deadline(read_detail(std::move(wanted)), clock::now() + 5s);
    reading_detail_ = false;
    detail_read_.notify_all();
    if (fresh.has_error()) {
        co_return fresh.error();
    }
    const time_point now = time_.now();
    fresh->good_until = now + std::clamp<duration>((now - began) * detail_rest, least_rest, longest_rest);
    if (details_.size() >= details_kept && !details_.contains(key)) {
        details_.erase(
            std::ranges::min_element(details_, {}, [](const auto& one) { return one.second.good_until; }));
    }
    co_return (details_[key] = std::move(*fresh)).text;
}

std::shared_ptr<const std::string> live_view::followed(const std::string& id) {
    const auto found = followed_.find(id);
    if (found == followed_.end() && followed_.size() >= followed_kept) {
        return nullptr;  // Those that are followed already go on; this one asks again in a second.
    }
    followed_event& one = found == followed_.end() ? followed_[id] : found->second;
    one.wanted_at = time_.now();
    return one.message;
}

asio::awaitable<void> live_view::look_at_followed() {
    std::erase_if(followed_, [now = time_.now()](const auto& one) {
        return now - one.second.wanted_at > following_lasts;
    });
    std::vector<std::string> wanted;
    for (const auto& [id, one] : followed_) {
        wanted.push_back(id);
    }
    std::ranges::sort(wanted, {}, [this](const std::string& id) { return followed_[id].looked_at; });
    wanted.resize(std::min(wanted.size(), followed_a_look));
    const auto until = clock::now() + patience;
    for (const std::string& id : wanted) {
        if (reading_detail_ || clock::now() >= until) {
            co_return;
        }
        std::string asked = id;
        const auto got = co_await with_deadline(event(std::move(asked), false), until);
        const auto found = followed_.find(id);
        if (got.has_error() || found == followed_.end()) {
            continue;
        }
        followed_event& one = found->second;
        one.looked_at = time_.now();
        const std::shared_ptr<const std::string>& text = *got;
        const bool same = one.text != nullptr && text != nullptr && *one.text == *text;
        if (one.message == nullptr || (one.text != text && !same)) {
            one.text = text;
            one.message = std::make_shared<const std::string>(
                "event: detail\ndata: " + (text == nullptr ? std::string("null\n") : *text) + "\n");
        }
    }
}

asio::awaitable<result<live_view::detail>> live_view::read_detail(detail_key key) {
    ledger book(redis_, keys_, std::string());
    const auto fields = co_await book.read(key.first);
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
    const event_report report = read_report(key.first, *fields);
    const json::object document =
        event_detail(read_heading(*fields), report, places_, &stored, time_.wall_now(), key.second);
    out.text = std::make_shared<const std::string>(plain_json(document) + "\n");
    co_return out;
}

}  // namespace tocsin
