#!/usr/bin/env bash
# What `cmake --install` puts below a prefix is whole: programs, bundled model, zeroshelf-fetch, manual pages,
# completions; and it is found wherever the tree lies, without environment variables.
set -euo pipefail
build=$1 draw=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "installed_test: $*" >&2
  [ ! -e "$work/log" ] || cat "$work/log" >&2
  exit 1
}

for component in runtime model; do
  cmake --install "$build" --prefix "$work/first" --component "$component" >"$work/log" 2>&1 || fail "no installation"
done
mv "$work/first" "$work/tree"
tree=$work/tree
mkdir "$work/home"
installed() { env -i HOME="$work/home" PATH=/usr/bin:/bin "$tree/bin/$@" 2>"$work/log"; }

for file in share/man/man1/zeroshelf-{index,query,fetch}.1.gz share/bash-completion/completions/zeroshelf-{index,query} \
  share/zsh/site-functions/_zeroshelf-query share/fish/vendor_completions.d/zeroshelf-index.fish; do
  [ -s "$tree/$file" ] || fail "$file is not installed"
done
gzip -dc "$tree/share/man/man1/zeroshelf-query.1.gz" >"$work/manual"
grep -q '^\.SH' "$work/manual" || fail "the manual page is none"

installed zeroshelf-index doctor --json >"$work/doctor" || [ $? -eq 2 ] || fail "doctor failed"
grep -q "\"name\":\"mini\",\"path\":\"$tree/share/zeroshelf/models/mini\"" "$work/doctor" ||
  fail "the installed model is not the one that is found: $(cat "$work/doctor")"

"$draw" memes "$work/memes" --count 4 --seed 1 >/dev/null 2>&1
installed zeroshelf-index add "$work/shelf" "$work/memes" --no-ocr || fail "add failed"
grep -q 'zeroshelf-fetch ViT-B-32' "$work/log" || fail "nothing says how to get a model for photographs"
[ "$(installed zeroshelf-query classify "$work/shelf" --labels "cat, dog" --format csv | wc -l)" -eq 5 ] ||
  fail "classify failed"
installed zeroshelf-fetch --help >"$work/help"
grep -q '^usage: zeroshelf-fetch' "$work/help" || fail "zeroshelf-fetch has another name"
installed zeroshelf-fetch --list >"$work/list"
grep -q '^ViT-B-32' "$work/list" || fail "zeroshelf-fetch lists nothing"
echo "passed"
