#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/core/digest.hpp"

#include <string>
#include <vector>

namespace tocsin {

/// One change on its way into the store.
struct device_store::pending {
    device_change* change = nullptr;
    token_hash hash;
    std::string expected;  ///< What the index said last; empty: nothing.
    std::vector<territory> before;
    bool done = false;
    change_outcome outcome = change_outcome::absent;
};

}  // namespace tocsin
