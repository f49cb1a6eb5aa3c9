#!/usr/bin/env bash
# A program of a dozen lines is built with find_package(zeroshelf) against what `cmake --install` puts below a prefix, and
# counts what zeroshelf-query counts. The installed headers include nothing that is not installed, and each of them
# compiles alone.
set -euo pipefail
build=$1 consumer=$2 draw=$3 index=$4 query=$5 compiler=$6
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log prefix=$work/installed

fail() {
  echo "consumer_test: $*" >&2
  tail -40 "$log" >&2
  exit 1
}

cmake --install "$build" --prefix "$prefix" --component development >"$log" 2>&1 || fail "no installation"
cmake -S "$consumer" -B "$work/consumer" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$prefix" \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror" >"$log" 2>&1 || fail "find_package failed"
cmake --build "$work/consumer" >"$log" 2>&1 || fail "the consumer does not build"

"$draw" memes "$work/memes" --count 12 --seed 3 >"$log" 2>&1
"$index" add "$work/shelf" "$work/memes" --no-ocr >"$log" 2>&1 || fail "add failed"
"$work/consumer/counts" "$work/shelf" "cat, castle, sword" >"$work/counts" 2>"$log" || fail "the consumer fails"
"$query" classify "$work/shelf" --labels "cat, castle, sword" --template '{}' --summary --all-labels --format csv \
  >"$work/labels.csv" 2>"$log" || fail "classify failed"
tail -n +2 "$work/labels.csv" | cut -d, -f1,2 | tr , ' ' | sort >"$work/expected"
sort "$work/counts" >"$work/counted"
diff "$work/expected" "$work/counted" >"$log" || fail "the consumer counts otherwise than classify"

headers=$prefix/include/zeroshelf
(cd "$headers" && grep -rhoP '^#include "\K[^"]+' . | sort -u) >"$work/included"
(cd "$headers" && find . -name '*.h' -printf '%P\n' | sort) >"$work/headers"
comm -23 "$work/included" "$work/headers" >"$log"
[ ! -s "$log" ] || fail "installed headers include what is not installed:"
# What the project's own source of that name includes first has been compiled alone by the build.
flags=$(pkg-config --cflags opencv4 tesseract libheif)
export headers flags compiler work source=$(dirname "$(dirname "$(dirname "$consumer")")")
alone() {
  local header=$1 own=$source/${1%.h}.cc
  [ -e "$own" ] && [ "$(grep -m1 '^#include' "$own")" = "#include \"$header\"" ] && return
  # shellcheck disable=SC2086
  $compiler -std=c++20 -fsyntax-only -x c++ -include "$header" -I"$headers" $flags /dev/null ||
    { echo "consumer_test: $header does not compile alone" >&2; exit 1; }
}
export -f alone
tr '\n' '\0' <"$work/headers" | xargs -0 -n 1 -P "$(nproc)" bash -c 'alone "$1"' _ 2>"$log" || fail "these headers do not compile alone:"
echo "passed"
