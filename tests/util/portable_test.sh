#!/usr/bin/env bash
# What is chosen by processor compiles for arm64 without warnings, and takes the portable kernels there (qemu-user).
# Skipped where there is no cross-compiler or no emulator (g++-aarch64-linux-gnu, qemu-user).
set -euo pipefail
source=$1
compiler=aarch64-linux-gnu-g++ emulator=$(command -v qemu-aarch64 || command -v qemu-aarch64-static || true)
command -v "$compiler" >/dev/null || { echo "skipped: no $compiler"; exit 77; }
[ -n "$emulator" ] || { echo "skipped: no qemu-aarch64"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$source"
for file in lib/util/{cpu,fp16} lib/fusion/softmax{,_portable} lib/vectors/{kernel,fixed}_portable \
  lib/ocr/line_kernel_portable models/compute/kernels{,_portable} tests/util/portable_main; do
  "$compiler" -std=c++20 -O2 -Wall -Wextra -Wshadow -Werror -I. -c "$file.cc" -o "$work/${file//\//-}.o"
done
"$compiler" -static "$work"/*.o -o "$work/portable"
"$emulator" "$work/portable"
