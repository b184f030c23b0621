#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <utility>

namespace tocsin {

// One error_code type in the whole tree. Asio hands out boost::system::error_code, and a
// round trip through std::error_code no longer compares equal to asio::error::* (Boost 1.81).
using boost::system::error_code;

/// A value or the reason there is none.
template <class T = void>
using result = boost::system::result<T, error_code>;

/// Why an input was refused, for the person who sent it.
///
/// `code` is one word of a closed set (a metric label, never text from the input); `message` is a
/// sentence that names the field and what would have been right.
struct refusal {
    refusal() = default;
    // Not an aggregate: one could be made from a string alone, and then parsed<std::string> could
    // not tell a value from a refusal.
    refusal(std::string word, std::string sentence) : code(std::move(word)), message(std::move(sentence)) {}

    std::string code;
    std::string message;
};

/// A value, or the sentence that says why the input is not one.
template <class T = void>
using parsed = boost::system::result<T, refusal>;

[[noreturn]] void throw_exception_from_error(const refusal& why, const boost::source_location& where);

}  // namespace tocsin
