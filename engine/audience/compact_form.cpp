#include "engine/audience/compact_form.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace tocsin {

namespace asio = boost::asio;

asio::awaitable<void> prefer_compact_rosters(redis::client& redis, logger& log) {
    constexpr std::array<std::pair<std::string_view, std::int64_t>, 2> wanted{
        {{"hash-max-ziplist-entries", 256}, {"hash-max-ziplist-value", 2048}}};
    for (const auto& [name, least] : wanted) {
        redis::request ask("CONFIG", "GET", name);
        const auto answer = co_await redis.execute(std::move(ask));
        const auto current = answer.has_value() && answer->front().size() == 2
                                 ? answer->front()[1].integer()
                                 : std::optional<std::int64_t>();
        if (current && *current >= least) {
            continue;
        }
        redis::request raise("CONFIG", "SET", name, least);
        const auto raised = co_await redis.execute(std::move(raise));
        if (raised.has_value() && !raised->front().is_error()) {
            log.info("redis.setting_raised", {{"setting", name}, {"value", least}});
        } else {
            log.warning(
                "redis.setting_too_small",
                {{"setting", name},
                 {"wanted", least},
                 {"cost", "rosters take up to three times the memory and ten times the time to read"}});
        }
    }
}

}  // namespace tocsin
