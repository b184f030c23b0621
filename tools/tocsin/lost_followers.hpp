#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/audience/territories.hpp"
#include "engine/plan/shard.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/array.hpp>

#include <string>
#include <vector>

namespace tocsin::cli {

/// Devices of an app that follow a commune, or a zone of one, which the territories do not have: no event is
/// for it, so that they are not reached by it.
struct lost_followers {
    target which;
    device_store::roster_size roster;
};

/// All of them, in the order of `targets`.
[[nodiscard]] boost::asio::awaitable<result<std::vector<lost_followers>>> find_lost_followers(
    device_store& store, std::vector<target> targets, const territories& places);

/// "12 devices follow commune:01018, and …", with what to do.
[[nodiscard]] std::string sentence_about(const lost_followers& who, const territories& places);

/// `app`, `platform`, `follows`, `devices`, and `now`: the communes of today, if that is known.
[[nodiscard]] boost::json::array to_json(const std::vector<lost_followers>& all, const territories& places);

}  // namespace tocsin::cli
