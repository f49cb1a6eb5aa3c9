#!/usr/bin/env bash
# ./dev demo as a newcomer runs it, with fewer memes: it succeeds, shows what it promises, and leaves a
# folder that is not its own alone.
set -euo pipefail
root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "demo_test: $*" >&2
  cat "$work/log" >&2
  exit 1
}

ZEROSHELF_DEMO_MEMES=40 "$root/dev" demo "$work/demo" >"$work/log" 2>&1 || fail "the demo failed"
for rule in image text max mix; do
  grep -Eq "^  $rule +right for +[0-9.]+ % \([0-9.]+ to [0-9.]+\)" "$work/log" || fail "no accuracy of $rule"
done
grep -Eq 'against the picture alone: [+-][0-9.]+ points' "$work/log" || fail "no gain over the picture alone"
grep -q 'labelled with .* ms' "$work/log" || fail "it does not say how long re-labelling took"
[ "$(grep -c 'found; first:' "$work/log")" -eq 4 ] || fail "not four searches"
# What it prints is what it ran.
search=$(grep -m1 '^  build/release/query/zeroshelf-query search .* raccoon ' "$work/log") || fail "a search is not printed"
found=$(grep -m1 'found; first:' "$work/log" | awk '{ print $1 }')
[ "$(cd "$root" && eval "$search" 2>/dev/null | grep -c .)" -eq "$found" ] || fail "another number of hits by: $search"
page=$(grep 'The page: ' "$work/log" | sed 's/.*The page: //; s/\x1b.*//')
grep -q 'query serve .*memes.shelf' "$work/log" || fail "it does not say how the page that answers is opened"
grep -q '<html' "$page" || fail "no page at '$page'"

mkdir "$work/mine"
echo precious >"$work/mine/file"
if "$root/dev" demo "$work/mine" >"$work/log" 2>&1; then fail "a folder that is no demo was taken"; fi
grep -q precious "$work/mine/file" || fail "a folder that is no demo was emptied"
echo "2 passed, 0 failed"
