#include "engine/delivery/sending_time.hpp"

#include <cmath>

namespace tocsin {

std::chrono::duration<double> sending_time(
    std::uint64_t devices, double rate, double gentle, std::chrono::duration<double> ramp_up) noexcept {
    using seconds = std::chrono::duration<double>;
    const auto count = static_cast<double>(devices);
    if (ramp_up.count() <= 0 || rate <= gentle) {
        return seconds(count / rate);
    }
    // Until the ramp's end the rate grows in a straight line, so what is sent by then is a parabola of time.
    const double slope = (rate - gentle) / ramp_up.count();
    const double by_then = (gentle + rate) / 2 * ramp_up.count();
    if (count <= by_then) {
        return seconds((std::sqrt(gentle * gentle + 2 * slope * count) - gentle) / slope);
    }
    return ramp_up + seconds((count - by_then) / rate);
}

}  // namespace tocsin
