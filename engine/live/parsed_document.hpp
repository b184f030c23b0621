#pragma once

#include "engine/core/error.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <string_view>

namespace tocsin {

/// What a stored JSON document says; null if it is none.
[[nodiscard]] inline boost::json::value parsed_or_null(std::string_view text) {
    error_code problem;
    boost::json::value out = boost::json::parse(text, problem);
    return problem ? boost::json::value(nullptr) : out;
}

}  // namespace tocsin
