#!/usr/bin/env bash
# Writes the programs' real help texts into their pages, between the marks. Run it after a build:
#   ./dev build && docs/update-help.sh
set -euo pipefail
cd "$(dirname "$0")/.."

update() {
  local page=$1 program=$2
  shift 2
  local text
  text=$(mktemp)
  {
    echo '```'
    "$program" --help
    echo '```'
    local command
    for command in "$@"; do
      printf '\n## %s\n\n```\n' "$command"
      "$program" "$command" --help
      echo '```'
    done
  } | sed 's/[[:space:]]*$//' >"$text"
  sed -i -e "/<!-- help -->/,/<!-- end of help -->/{/<!-- help -->/r $text" -e '/<!-- help -->/!{/<!-- end of help -->/!d}}' "$page"
  rm -f "$text"
}

update docs/zeroshelf-index.md build/release/indexer/zeroshelf-index add watch forget import stats skips verify repair compact ocr doctor
update docs/zeroshelf-query.md build/release/query/zeroshelf-query search duplicates suggest classify export undo evaluate calibrate train runs diff review vectors embed serve verify
