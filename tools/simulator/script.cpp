#include "tools/simulator/script.hpp"

#include "engine/core/json_members.hpp"
#include "tools/simulator/jwt.hpp"
#include "tools/simulator/simulator.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace tocsin::sim {

namespace asio = boost::asio;
namespace json = boost::json;

parsed<std::vector<behaviour_step>> read_script_file(
    const std::filesystem::path& file, const behaviour& initial) {
    std::vector<behaviour_step> steps;
    if (file.empty()) {
        return steps;
    }
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        return refusal{"script", fmt::format("{} cannot be read", file.string())};
    }
    const std::string text(std::istreambuf_iterator<char>(in), {});
    error_code ec;
    json::value document = json::parse(text, ec);
    if (ec || !document.is_array()) {
        return refusal{"script", fmt::format("{} is not a JSON array of steps", file.string())};
    }
    for (json::value& entry : document.get_array()) {
        const auto place = steps.size();
        json::object* step = entry.if_object();
        const auto after = step == nullptr ? std::nullopt : integer_at(*step, "after_ms");
        if (!after || *after < 0) {
            return refusal{
                "script", fmt::format("{}: step {} needs after_ms, a whole number", file.string(), place)};
        }
        step->erase("after_ms");
        if (const auto checked = change_behaviour(initial, entry); !checked) {
            return refusal{
                "script", fmt::format("{}: step {}: {}", file.string(), place, checked.error().message)};
        }
        steps.push_back({std::chrono::milliseconds(*after), std::move(entry)});
    }
    std::ranges::stable_sort(steps, {}, &behaviour_step::after);
    return steps;
}

asio::awaitable<void> run_script(const std::vector<behaviour_step>& steps, simulator& target) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    const auto start = clock::now();
    for (const behaviour_step& step : steps) {
        timer.expires_at(start + step.after);
        const auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (ec || !target.change(step.change)) {
            co_return;  // Stopped; a step that could be wrong was refused at the start.
        }
    }
}

}  // namespace tocsin::sim
