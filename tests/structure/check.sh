#!/bin/sh
# What CONTRIBUTING says of files and names, held to the tree: tests/structure/check.sh FOLDER. Prints each offence,
# and fails if there is one.
set -eu
cd "$1"
sources=$(find engine providers -name '*.cpp' -o -name '*.hpp' | sort)

long_files=$(echo "$sources" | xargs wc -l | awk '$2 != "total" && $1 > 400 { print $2 ": " $1 " lines; at most 400" }')

# As the formatter lays functions out: one begins with a line that ends in "{" and has a parenthesis, and ends with a
# brace at the same indentation, 0 or 4 (in a class).
long_functions=$(echo "$sources" | xargs awk '
  FNR == 1 { delete start; }
  {
    for (depth = 0; depth <= 4; depth += 4) {
      indent = sprintf("%" depth "s", "")
      inside = substr($0, depth + 1)
      if (substr($0, 1, depth) != indent || inside ~ /^[ }]/ && inside != "}") continue
      if (inside == "}" && start[depth]) {
        if (FNR - start[depth] + 1 > 60) print FILENAME ":" start[depth] ": a function of " FNR - start[depth] + 1 " lines; at most 60"
        start[depth] = 0
      } else if (inside ~ /\{$/ && inside ~ /\)/ && inside !~ /^(if|for|while|switch|else|do|namespace|class|struct|enum)[ (]/) {
        start[depth] = FNR
      }
    }
  }')

# The enumeration of platforms and its table name them; nothing else of the engine knows any.
names=$(grep -rniE 'apns|fcm|webpush' engine |
  grep -vE '^engine/platform/platform\.hpp:[0-9]+:(enum class platform | +\{platform::)' || true)

for offences in "$long_files" "$long_functions" "$names"; do
  if [ -n "$offences" ]; then
    echo "$offences"
    failed=1
  fi
done
exit "${failed:-0}"
