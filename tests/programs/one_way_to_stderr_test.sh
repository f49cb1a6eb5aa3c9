#!/bin/bash
# What the programs say goes through lib/program/message.h and lib/output/output_stream.h: fmt::print throws
# when its stream cannot be written, and stdio and streams keep what failed for later. So nothing else
# prints. (Tests and benchmarks may.)
#
#   one_way_to_stderr_test.sh SOURCE_FOLDER
set -euo pipefail
cd "$1"

found=$(find . \( -path ./build -o -path ./tests -o -path ./benchmarks -o -path ./.git \) -prune -o \
  \( -name '*.cc' -o -name '*.h' \) -print0 |
  xargs -0 grep -nE 'fmt::v?print\b|std::(cerr|clog|cout)\b|\bv?f?printf\(|\bf?puts\(|\bfputc\(|\bperror\(|\bpsignal\(' |
  grep -vE '^[^:]*:[0-9]+: *//|message\.h:[0-9]+://' || true)
[ -z "$found" ] || { printf '%s\n' "$found"; echo "FAILED: say() and OutputStream are for that"; exit 1; }
