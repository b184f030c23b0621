#include "engine/delivery/removal_hold.hpp"

#include "engine/core/error.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

namespace tocsin {
namespace {

namespace json = boost::json;

std::uint64_t count_in(const json::object& from, std::string_view name) {
    const auto* const value = from.if_contains(name);
    return value != nullptr && value->is_int64() && value->as_int64() > 0
               ? static_cast<std::uint64_t>(value->as_int64())
               : 0;
}

}  // namespace

std::string encode_hold(const removal_hold& why) {
    return json::serialize(json::object{
        {"since", why.since},
        {"event", why.event},
        {"accepted", why.seen.accepted},
        {"dead", why.seen.dead},
        {"usually_accepted", why.usual.accepted},
        {"usually_dead", why.usual.dead},
        {"limit", why.limit}});
}

std::optional<removal_hold> decode_hold(std::string_view text) {
    error_code ec;
    const auto value = json::parse(text, ec);
    const auto* const object = ec ? nullptr : value.if_object();
    if (object == nullptr) {
        return std::nullopt;
    }
    removal_hold out;
    out.since = static_cast<std::int64_t>(count_in(*object, "since"));
    if (const auto* const event = object->if_contains("event"); event != nullptr && event->is_string()) {
        out.event = event->as_string();
    }
    out.seen = {count_in(*object, "accepted"), count_in(*object, "dead")};
    out.usual = {count_in(*object, "usually_accepted"), count_in(*object, "usually_dead")};
    if (const auto* const limit = object->if_contains("limit"); limit != nullptr && limit->is_double()) {
        out.limit = limit->as_double();
    }
    return out;
}

std::string sentence_about(const target& which, const removal_hold& why) {
    const std::string usual = why.usual.answers() < answers_to_know
                                  ? std::string("what is usual is not known yet")
                                  : fmt::format("usually {:.1f} %", 100 * why.usual.share());
    return fmt::format(
        "the provider calls {} of {} devices of {} gone ({})", why.seen.dead, why.seen.answers(),
        to_string(which), usual);
}

}  // namespace tocsin
