#!/usr/bin/env bash
# A source says in the comment at its top which test covers it; that test must be there.
# usage: tested_by_test.sh SOURCE_FOLDER
set -euo pipefail
cd "$1"

fail=0
complain() {
  echo "$1" >&2
  fail=1
}

# "source test" for every path below tests/ in the comment before the first line of code.
named=$(find lib models indexer query benchmarks \( -name '*.cc' -o -name '*.h' -o -name '*.js' \) -print0 |
  xargs -0 awk '
    FNR == 1 { at_top = 1 }
    at_top && /^\/\// {
      rest = $0
      while (match(rest, /(^|[^A-Za-z0-9_\/])tests\/[A-Za-z0-9_.\/]*[A-Za-z0-9_]/)) {
        name = substr(rest, RSTART, RLENGTH)
        print FILENAME, substr(name, index(name, "tests/"))
        rest = substr(rest, RSTART + RLENGTH)
      }
      next
    }
    $0 != "" && $0 != "#pragma once" { at_top = 0 }' | sort -u)
[ "$(wc -l <<<"$named")" -gt 200 ] || complain "tested_by_test.sh: finds too few tests to be right"

while read -r source test; do
  [ -e "$test" ] || complain "$source: there is no $test"
done <<<"$named"

exit $fail
