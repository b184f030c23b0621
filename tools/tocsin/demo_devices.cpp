#include "tools/tocsin/demo_devices.hpp"

#include "tools/tocsin/invented_token.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace tocsin::cli {
namespace {

constexpr std::uint64_t seed = 21231;
constexpr std::uint32_t registered_at = 1'760'000'000;
constexpr unsigned one_in_four_is_apns = 4;
constexpr unsigned one_in_ten_follows_two = 10;
constexpr std::uint32_t one_in_fifty_is_a_browser = 50;
// Of those who follow the commune with an app of its own, so many in a hundred use that app.
constexpr unsigned dedicated_percent = 60;

}  // namespace

demo_population make_population(
    const territories& places, const std::vector<commune_id>& communes, commune_id dedicated_to,
    const demo_options& how, const std::function<sim::browser(std::uint64_t)>& subscribe) {
    demo_population out;
    std::mt19937_64 random(seed);
    for (std::size_t c = 0; c < communes.size(); ++c) {
        const auto devices =
            static_cast<std::uint32_t>(std::lround(how.share * places.population(communes[c])));
        for (std::uint32_t i = 0; i < devices; ++i) {
            device_change change;
            const bool dedicated = communes[c] == dedicated_to && random() % 100 < dedicated_percent;
            change.app = dedicated ? "dijon" : "mairies";
            change.where = random() % one_in_four_is_apns == 0 ? platform::apns : platform::fcm;
            change.which.token =
                change.where == platform::apns ? invented_apns_token(random) : invented_fcm_token(random);
            if (i % one_in_fifty_is_a_browser == 0) {
                const sim::browser one = subscribe(out.browsers++);
                change.where = platform::webpush;
                change.which.token = one.endpoint;
                change.which.keys = one.point.substr(1) + one.auth;
            }
            change.which.registered_at = registered_at;
            change.which.locale = "fr";
            change.which.follow.push_back({communes[c], {}});
            if (!dedicated && communes.size() > 1 && random() % one_in_ten_follows_two == 0) {
                change.which.follow.push_back({communes[(c + 1) % communes.size()], {}});
                std::ranges::sort(change.which.follow);
                ++out.following_two;
            }
            out.devices.push_back(std::move(change));
        }
    }
    return out;
}

}  // namespace tocsin::cli
