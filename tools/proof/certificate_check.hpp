#pragma once

#include "tools/proof/certificate.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::proof {

/// Something that a certificate shows and that is not so.
struct certificate_difference {
    std::string of;        ///< "accepted", "communes.21231.accepted"; "line 12" if it is none of the values.
    std::string shown;     ///< What the file has; empty: nothing.
    std::string expected;  ///< What it should have.
};

/// Compares a file with the page that Redis gives for its stamp: every value that is shown, then everything
/// else, the chart's lines included. Line ends and what stands after the last line do not count. Empty: it is
/// true.
[[nodiscard]] std::vector<certificate_difference> compare_certificates(
    std::string_view file, std::string_view expected);

/// SHA-256 of a file as it is compared, in hexadecimal.
[[nodiscard]] std::string certificate_digest(std::string_view file);

/// What is not true of `file`, of the event that `now` is in Redis. At least one difference if it is no
/// certificate.
[[nodiscard]] std::vector<certificate_difference> check_certificate(
    std::string_view file, const certificate_subject& now);

}  // namespace tocsin::proof
