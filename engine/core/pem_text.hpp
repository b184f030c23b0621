#pragma once

#include <string>
#include <string_view>

namespace tocsin {

/// A PEM text in its own lines, whatever became of them on the way here: an environment variable, a template
/// or a JSON document written twice leaves "\n" in two characters, spaces, or nothing between them. Text that
/// holds no PEM block comes back as it is; so does a block with headers (RFC 1421), which need their lines.
[[nodiscard]] std::string with_pem_lines(std::string_view text);

}  // namespace tocsin
