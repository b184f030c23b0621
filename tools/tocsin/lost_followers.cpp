#include "tools/tocsin/lost_followers.hpp"

#include "engine/audience/unknown_commune.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <utility>

#include <fmt/format.h>

namespace tocsin::cli {

boost::asio::awaitable<result<std::vector<lost_followers>>> find_lost_followers(
    device_store& store, std::vector<target> targets, const territories& places) {
    const std::function<bool(commune_id)> exists = [&](commune_id id) { return places.find(id) != nullptr; };
    std::vector<lost_followers> out;
    for (const target& which : targets) {
        auto found = co_await store.followers_outside(which.app, which.on, exists);
        if (found.has_error()) {
            co_return found.error();
        }
        for (device_store::roster_size& one : *found) {
            out.push_back({which, std::move(one)});
        }
    }
    co_return out;
}

std::string sentence_about(const lost_followers& who, const territories& places) {
    const std::string code = to_string(who.roster.where.commune);
    const auto today = places.successors(who.roster.where.commune);
    return fmt::format(
        "{} device{} {}, and {} not reached by it: no commune \"{}\"{}. To move them: tocsin devices merge "
        "{} {}",
        who.roster.devices, who.roster.devices == 1 ? " follows" : "s follow", selector_of(who.roster.where),
        who.roster.devices == 1 ? "is" : "are", code, unknown_commune_hint(code, places), code,
        today.size() == 1 ? to_string(today.front()) : std::string("CODE"));
}

boost::json::array to_json(const std::vector<lost_followers>& all, const territories& places) {
    boost::json::array out;
    for (const lost_followers& one : all) {
        boost::json::array now;
        for (const commune_id id : places.successors(one.roster.where.commune)) {
            now.emplace_back(to_string(id));
        }
        out.push_back(boost::json::object{
            {"app", one.which.app},
            {"platform", to_string(one.which.on)},
            {"follows", selector_of(one.roster.where)},
            {"devices", one.roster.devices},
            {"now", std::move(now)}});
    }
    return out;
}

}  // namespace tocsin::cli
