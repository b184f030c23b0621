#pragma once

#include "engine/core/error.hpp"

#include <string>

namespace tocsin {

/// Refuses a file that holds a secret unless it is a regular file (or a link to one) that only its
/// owner can read and write. The message names the file and the command that puts it right.
[[nodiscard]] parsed<> check_private_file(const std::string& path);

/// The contents of a file that passes check_private_file(); at most 1 MiB, which no key comes near.
///
/// The check is made on the open file, so what was checked is what is read.
[[nodiscard]] parsed<std::string> read_private_file(const std::string& path);

}  // namespace tocsin
