#!/usr/bin/env bash
# Holds the order of the folders (docs/design.md): a file includes only its own folder's files and those of folders
# that stand before it. lib/ and models/ name the command line's library only in lib/program and models/flags, and
# nothing in lib/ prints.
# usage: includes_test.sh SOURCE_FOLDER
set -euo pipefail
cd "$1"

order=(
  lib/util lib/files lib/image lib/xmp lib/ocr lib/encoder lib/labels lib/fusion lib/evaluation lib/lexicon lib/store lib/vectors
  lib/cluster lib/collection lib/ingest lib/labelling lib/search lib/report lib/export lib/program
  models/checkpoint models/compute models/text models/clip models/flags models/train models/baselines
  indexer query/serve query
)

fail=0
complain() {
  echo "$1" >&2
  fail=1
}

for folder in lib/*/ models/*/; do
  folder=${folder%/}
  ls "$folder"/*.cc "$folder"/*.h >/dev/null 2>&1 || continue
  [[ " ${order[*]} " == *" $folder "* ]] || complain "$folder: has no place in the order of tests/includes_test.sh"
done

# file:included-folder for every include of the project's own.
includes=$(grep -rnoE '^#include "[a-z_]+(/[a-z_]+)?/[a-z0-9_]+\.h"' "${order[@]}" --include='*.h' --include='*.cc' |
  sed -E 's|:[0-9]+:#include "(.*)/[^/]*"$| \1|')
[ "$(wc -l <<<"$includes")" -gt 500 ] || complain "includes_test.sh: finds too few includes to be right"

while read -r message; do complain "$message"; done < <(
  awk -v order="${order[*]}" '
    BEGIN { n = split(order, folders, " "); for (i = 1; i <= n; i++) place[folders[i]] = i }
    {
      own = $1; sub("/[^/]*$", "", own)
      if (!($2 in place)) print $1 ": includes " $2 ", which has no place in the order"
      else if (place[$2] > place[own]) print $1 ": " own " includes " $2 ", which comes after it"
    }' <<<"$includes")

while read -r file; do
  complain "$file: names CLI11; only lib/program, models/flags and the programs do"
done < <(grep -rlE '#include <CLI/' lib models --include='*.h' --include='*.cc' |
  grep -vE '^(lib/program|models/flags|models/train/[a-z]+_main\.cc)' || true)

while read -r place; do
  complain "$place: the library prints; give what it says to the caller"
done < <(grep -rnE '\b(fmt::print|std::cout|std::cerr|printf|puts|perror) *[(<]' lib --include='*.h' --include='*.cc' |
  grep -vE '^lib/program/|snprintf|//.*print' || true)

while read -r file; do
  complain "$file: names cpp-httplib; only query/serve/http_server.cc does"
done < <(grep -rlE '#include <httplib\.h>' lib models indexer query --include='*.h' --include='*.cc' |
  grep -v '^query/serve/http_server\.cc$' || true)

while read -r file; do
  complain "$file: names Exiv2; only lib/xmp/packet_keywords.cc does"
done < <(grep -rlE '#include <exiv2/' lib models indexer query --include='*.h' --include='*.cc' |
  grep -v '^lib/xmp/packet_keywords\.cc$' || true)

while read -r file; do
  complain "$file: names MPI; only lib/cluster/mpi_part.cc does"
done < <(grep -rlE '#include <mpi\.h>|\bMPI_[A-Z][a-z]' lib models indexer query benchmarks --include='*.h' --include='*.cc' |
  grep -v '^lib/cluster/mpi_part\.cc$' || true)

exit $fail
