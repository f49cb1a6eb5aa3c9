#!/usr/bin/env bash
# What is chosen by processor compiles for arm64 without warnings, and there the portable kernels are taken and pass their tests
# (qemu-user). Skipped where there is no cross-compiler or no emulator (g++-aarch64-linux-gnu, qemu-user).
set -euo pipefail
source=$1
compiler=aarch64-linux-gnu-g++ emulator=$(command -v qemu-aarch64 || command -v qemu-aarch64-static || true)
command -v "$compiler" >/dev/null || { echo "skipped: no $compiler"; exit 77; }
[ -n "$emulator" ] || { echo "skipped: no qemu-aarch64"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$source"

# Headers of libraries that are the same for every processor. Of the libraries nothing is linked: what would need them is not
# reached by these tests and left out (--gc-sections).
mkdir "$work/include"
ln -s /usr/include/{boost,fmt,faiss} "$work/include"
sources=(lib/util/{cgroup,cpu,file,fp16,matrix,parallel} lib/fusion/softmax{,_portable}
  lib/vectors/{fixed_point,fixed_portable,kernel_portable,near_pairs,scan,vector_rows,vector_sum}
  lib/ocr/line_kernel_portable models/compute/{kernels,kernels_portable,packed_linear}
  lib/evaluation/logistic lib/image/resize)
tests=(tests/util/{portable_main,fp16_test} tests/fusion/softmax_test tests/ocr/line_kernel_test tests/clip/kernels_test
  tests/vectors/{fixed_point_test,near_pairs_test,scan_test,vector_sum_test})
# Boost's framework takes the compiler longest.
compile() {
  local level=-O2
  case $1 in */portable_main) level=-O0 ;; tests/*) level=-O1 ;; esac
  "$compiler" -std=c++20 "$level" -ffp-contract=off -ffunction-sections -fdata-sections -Wall -Wextra -Wshadow -Werror \
    -DFMT_HEADER_ONLY -I. -isystem "$work/include" -c "$1.cc" -o "$work/${1//\//-}.o"
}
export -f compile
export compiler work
printf '%s\0' "${tests[@]}" "${sources[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -euc 'compile "$1"' _
"$compiler" -static -Wl,--gc-sections "$work"/*.o -o "$work/portable"
"$emulator" "$work/portable" --report_level=short "${@:2}"
