#include "engine/event/device_token.hpp"

#include "engine/core/text.hpp"
#include "engine/event/refusal_codes.hpp"

namespace tocsin {
parsed<> check_fid(std::string_view fid, std::string_view path) {
    if (fid.size() < min_fid || fid.size() > max_fid) {
        return refuse(
            refusal_code::invalid_fid, std::string(path) +
                                           ": a Firebase installation id has 10 to 64 characters, not " +
                                           std::to_string(fid.size()));
    }
    if (!is_word(fid, "-_")) {
        return refuse(
            refusal_code::invalid_fid,
            std::string(path) + ": a Firebase installation id is made of A-Z a-z 0-9 - _");
    }
    return {};
}

}  // namespace tocsin
