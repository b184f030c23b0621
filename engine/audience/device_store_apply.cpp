#include "engine/audience/device_change_work.hpp"
#include "engine/audience/device_store.hpp"
#include "engine/audience/removal_traces.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace tocsin {

namespace asio = boost::asio;

asio::awaitable<result<>> device_store::forget_traces(const std::vector<device_change>& changes) {
    std::map<std::pair<std::string, platform>, std::vector<std::string>> gone;
    for (const device_change& one : changes) {
        if (one.what == device_change::action::remove && !one.only_if_entry) {
            gone[{one.app, one.where}].push_back(one.which.token);
        }
    }
    const removal_traces traces(redis_, keys_);
    redis::request what;
    for (const auto& [of, tokens] : gone) {
        traces.forget(what, of.first, of.second, tokens);
    }
    const auto done = co_await ask(std::move(what));
    co_return done.has_error() ? result<>(done.error()) : result<>();
}

asio::awaitable<result<std::vector<device_store::applied>>> device_store::apply_telling(
    std::vector<device_change> changes) {
    change_batch batch(*this, changes);
    auto out = co_await batch.apply();
    if (out.has_error()) {
        co_return out;
    }
    // Afterwards: what a provider has removed before its app did is written down by then, or nearly so.
    const auto forgotten = co_await forget_traces(changes);
    if (forgotten.has_error()) {
        co_return forgotten.error();
    }
    co_return out;
}

asio::awaitable<result<std::vector<change_outcome>>> device_store::apply(std::vector<device_change> changes) {
    const auto made = co_await apply_telling(std::move(changes));
    if (made.has_error()) {
        co_return made.error();
    }
    std::vector<change_outcome> out(made->size());
    std::ranges::transform(*made, out.begin(), &applied::outcome);
    co_return out;
}

}  // namespace tocsin
