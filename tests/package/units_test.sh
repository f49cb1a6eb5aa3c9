#!/usr/bin/env bash
# Each user unit that is installed starts the program that is installed, systemd understands every line of it, and it is
# as closed as it says. Skipped where there is no systemd-analyze.
set -euo pipefail
build=$1
command -v systemd-analyze >/dev/null || { echo "skipped: no systemd-analyze (package systemd)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work XDG_RUNTIME_DIR=$work

fail() {
  echo "units_test: $*" >&2
  exit 1
}

cmake --install "$build" --prefix "$work/tree" --component runtime >/dev/null
# check COMMAND PROGRAM: the unit zeroshelf-COMMAND@ starts that.
check() {
  local unit=$work/tree/share/systemd/user/zeroshelf-$1@.service
  local program
  program=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$unit")
  [ "$program" = "$work/tree/bin/$2" ] || fail "it starts $program"
  grep -q "^ExecStart=[^ ]* $1 " "$unit" || fail "it does not start $1"
  "$program" "$1" --help >"$work/help"
  for flag in $(grep '^ExecStart=' "$unit" | grep -o -- ' --[a-z-]*'); do
    grep -q -- "$flag" "$work/help" || fail "$1 has no $flag"
  done
  local instance
  instance=$work/zeroshelf-$1@$(systemd-escape --path "$work/my photos.shelf").service
  cp "$unit" "$instance"
  # Unknown or misspelt lines are told as warnings. (There is no manual in this HOME.)
  systemd-analyze verify --user "$instance" 2>&1 | grep -v "Command 'man " >"$work/warnings" || true
  [ ! -s "$work/warnings" ] || fail "$(cat "$work/warnings")"
  systemd-analyze security --user --offline=true --threshold=25 "$unit" >"$work/exposure" 2>&1 || fail "$(tail -3 "$work/exposure")"
}
check serve zeroshelf-query
check watch zeroshelf-index
echo "passed"
