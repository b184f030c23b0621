#pragma once

#include "engine/event/refusal_codes.hpp"
#include "providers/known_platforms.hpp"

#include <vector>

namespace tocsin::testing {

/// Every code that a document can be refused with: the engine's, and the platforms' own.
inline std::vector<refusal_row> all_refusals() {
    std::vector<refusal_row> out;
    for (const refusal_meaning& one : refusal_table) {
        out.push_back({one.word, one.meaning});
    }
    for (const platform_traits* const one : known_platforms().all()) {
        out.insert(out.end(), one->refusals().begin(), one->refusals().end());
    }
    return out;
}

}  // namespace tocsin::testing
