#!/usr/bin/env bash
# An object of what `./dev package` packs has the same bytes whether it was compiled as it stands or by way of ccache with a
# base_dir, which hands relative paths to the compiler. (The whole of it: ./dev package --again.)
set -euo pipefail
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "same_bytes_test: $*" >&2
  tail -20 "$work/log" >&2
  exit 1
}

(cd "$source" && cmake --preset package -B "$work/build" -Wno-dev) >"$work/log" 2>&1 || fail "not configured"
# Its assertions name their file.
object=lib/vectors/CMakeFiles/zeroshelf_vectors.dir/vector_sum.cc.o
CCACHE_DISABLE=1 ninja -C "$work/build" "$object" >"$work/log" 2>&1 || fail "it does not compile"
mv "$work/build/$object" "$work/plain.o"
grep -aq 'lib/vectors/vector_sum\.cc' "$work/plain.o" || fail "no path in it, so it proves nothing"
CCACHE_DIR=$work/ccache CCACHE_BASEDIR=/ ninja -C "$work/build" "$object" >"$work/log" 2>&1 || fail "it does not compile by ccache"
cmp "$work/plain.o" "$work/build/$object" >>"$work/log" 2>&1 || fail "ccache's object differs"
echo "passed"
