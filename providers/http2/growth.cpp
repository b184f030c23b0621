#include "providers/http2/growth.hpp"

#include <algorithm>
#include <chrono>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

// Before anybody was answered. An alert is given the benefit of the doubt: providers take some tens of
// milliseconds. What is not urgent learns from the first answers what it can use.
constexpr duration assumed_if_urgent = 50ms;
constexpr duration assumed = 10ms;
constexpr duration shortest = 1ms;
// Requests of one stream within the horizon.
constexpr std::size_t most_rounds = 8;
// What one thread writes in a second if nothing else holds it up, and some room for answers that come late.
constexpr std::size_t fed_by_a_thread = 130'000;

std::size_t parts(std::size_t whole, std::size_t part) noexcept {
    return (whole + part - 1) / part;
}

}  // namespace

std::size_t connections_for(const demand& what) noexcept {
    const duration guess = what.urgent ? assumed_if_urgent : assumed;
    const duration round_trip = std::max(what.round_trip == duration{} ? guess : what.round_trip, shortest);
    const auto rounds =
        std::clamp<std::size_t>(static_cast<std::size_t>(work_horizon / round_trip), 1, most_rounds);
    const auto fed =
        static_cast<std::size_t>(fed_by_a_thread * std::chrono::duration<double>(round_trip).count());
    const std::size_t at_once = std::min(parts(what.known, rounds), fed);
    return std::max<std::size_t>(1, parts(at_once, std::max<std::size_t>(1, what.streams_of_one)));
}

}  // namespace tocsin::http2
