#include "tools/tocsin/paused_lanes.hpp"

#include <set>

namespace tocsin::cli {

std::string paused_lanes(const std::vector<lane_status>& lanes) {
    std::set<std::string> said;
    for (const lane_status& lane : lanes) {
        if (lane.bound == lane_bound::credential) {
            said.insert(
                to_string(lane.which) + (lane.paused_because.empty() ? " waits for its credential"
                                                                     : " is paused: " + lane.paused_because));
        }
    }
    std::string out;
    for (const std::string& one : said) {
        out += (out.empty() ? "" : "; ") + one;
    }
    return out;
}

}  // namespace tocsin::cli
