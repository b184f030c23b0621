#include "tools/tocsin/latency_text.hpp"

#include <cstddef>
#include <exception>

namespace tocsin::cli {

parsed<sim::latency> parse_latency(const std::string& text) {
    const refusal bad{
        "latency", "\"" + text + "\" is none of none, fixed:MS, uniform:MS:MS, lognormal:MEDIAN_MS:P99_MS"};
    const std::size_t colon = text.find(':');
    const std::string kind = text.substr(0, colon);
    sim::latency out;
    if (kind == "none") {
        return out;
    }
    const std::string rest = colon == std::string::npos ? std::string() : text.substr(colon + 1);
    const std::size_t second = rest.find(':');
    try {
        out.first = std::stod(rest.substr(0, second));
        out.second = second == std::string::npos ? out.first : std::stod(rest.substr(second + 1));
    } catch (const std::exception&) {
        return bad;
    }
    if (kind == "fixed") {
        out.kind = sim::latency::shape::fixed;
    } else if (kind == "uniform") {
        out.kind = sim::latency::shape::uniform;
    } else if (kind == "lognormal") {
        out.kind = sim::latency::shape::lognormal;
    } else {
        return bad;
    }
    return out;
}

std::string latency_problem(const std::string& text) {
    const auto latency = parse_latency(text);
    return latency.has_error() ? latency.error().message : std::string();
}

}  // namespace tocsin::cli
