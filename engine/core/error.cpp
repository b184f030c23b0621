#include "engine/core/error.hpp"

#include <stdexcept>

namespace tocsin {

void throw_exception_from_error(const refusal& why, const boost::source_location&) {
    throw std::runtime_error(why.code + ": " + why.message);
}

}  // namespace tocsin
