#!/bin/bash
# A collection on file systems that are too small for it: add says that the disk is full, verify finds
# no fault, and with more room the same command finishes and gives what a run with room gives.
#
#   full_disk_test.sh BUILD_FOLDER
#
# Each file system is a tmpfs of this test's own mount namespace; skipped (77) where the system
# allows none.
set -euo pipefail

if [ -z "${ZEROSHELF_IN_NAMESPACE:-}" ]; then
  unshare --map-root-user --mount true 2>/dev/null || { echo "skipped: no mount namespace here"; exit 77; }
  ZEROSHELF_IN_NAMESPACE=1 exec unshare --map-root-user --mount "$0" "$@"
fi

build=$1
index=$build/indexer/zeroshelf-index query=$build/query/zeroshelf-query draw=$build/models/train/zeroshelf-draw
work=$(mktemp -d /tmp/zeroshelf-full-disk-XXXXXX)
trap 'umount "$work/disk" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/disk"
fail() { echo "FAILED: $*"; exit 1; }

add() { "$index" add "$1" "$work/memes" --no-ocr --batch 8 2>"$work/errors"; }
answers() { "$query" classify "$1" --labels "Doom, Animal Crossing" --format jsonl 2>/dev/null | sort; }

"$draw" memes "$work/memes" --count 120 --seed 5
add "$work/roomy" || fail "with room: $(cat "$work/errors")"
answers "$work/roomy" >"$work/expected"
[ "$(wc -l <"$work/expected")" -eq 120 ] || fail "the set is not whole"

refused=0
for kilobytes in 4 16 40 64 96 128 192 256 384; do
  mount -t tmpfs -o size="${kilobytes}k" tmpfs "$work/disk"
  code=0
  add "$work/disk/shelf" || code=$?
  if [ "$code" -ne 0 ]; then
    [ "$code" -eq 2 ] || fail "$kilobytes KiB: exit code $code"
    grep -q "make room" "$work/errors" || fail "$kilobytes KiB: $(cat "$work/errors")"
    refused=$((refused + 1))
    if [ -e "$work/disk/shelf/MANIFEST.json" ]; then
      "$index" verify "$work/disk/shelf" >"$work/verified" || fail "$kilobytes KiB: $(cat "$work/verified")"
    fi
    mount -o remount,size=64m "$work/disk"
    add "$work/disk/shelf" || fail "$kilobytes KiB, then room: $(cat "$work/errors")"
  fi
  answers "$work/disk/shelf" | cmp - "$work/expected" || fail "$kilobytes KiB: other answers"
  "$index" verify "$work/disk/shelf" >"$work/verified" || fail "$kilobytes KiB, then room: $(cat "$work/verified")"
  umount "$work/disk"
done

# Keywords for pictures on a disk with too little room: told, every picture and every name as before.
sums() { (cd "$work/disk/memes" && find . -type f -exec sha256sum {} + | sort); }
for where in "" --in-file; do
  mount -t tmpfs -o size=64m tmpfs "$work/disk"
  cp -r "$work/memes" "$work/disk/memes"
  rm -rf "$work/tagged"
  "$index" add "$work/tagged" "$work/disk/memes" --no-ocr 2>"$work/errors" || fail "tagged: $(cat "$work/errors")"
  sums >"$work/sums"
  mount -o remount,size="$(($(du -sk "$work/disk" | cut -f1) + 60))k" "$work/disk"
  code=0
  "$query" export "$work/tagged" --labels "Doom, Animal Crossing" --format xmp $where --to "$work/run" 2>"$work/errors" || code=$?
  [ "$code" -eq 2 ] || fail "keywords $where: exit code $code: $(cat "$work/errors")"
  grep -q "make room" "$work/errors" || fail "keywords $where: $(cat "$work/errors")"
  [ ! -e "$work/run" ] || "$query" undo "$work/run" 2>"$work/errors" || fail "undo $where: $(cat "$work/errors")"
  sums | cmp - "$work/sums" || fail "keywords $where: the full disk has other files"
  mount -o remount,size=64m "$work/disk"
  "$query" export "$work/tagged" --labels "Doom, Animal Crossing" --format xmp $where --to "$work/run" 2>"$work/errors" ||
    fail "keywords $where, then room: $(cat "$work/errors")"
  "$query" undo "$work/run" 2>"$work/errors" || fail "undo $where: $(cat "$work/errors")"
  sums | cmp - "$work/sums" || fail "keywords $where: undone, there are other files"
  umount "$work/disk"
done

# Moved to a disk with too little room: what is told to do leads on.
cp -r "$work/memes" "$work/moving"
"$index" add "$work/of-moving" "$work/moving" --no-ocr 2>"$work/errors" || fail "moving: $(cat "$work/errors")"
of_moving() { (cd "$work/moving" && find . -type f -exec sha256sum {} + | sort); }
move() { "$query" export "$work/of-moving" --labels "Doom, Animal Crossing" --mode move --to "$1" 2>"$work/errors"; }
of_moving >"$work/sums"
mount -t tmpfs -o size="$(($(du -sk "$work/moving" | cut -f1) / 2))k" tmpfs "$work/disk"
code=0
move "$work/disk/sorted" || code=$?
[ "$code" -eq 2 ] || fail "move: exit code $code: $(cat "$work/errors")"
grep -q "zeroshelf-query undo $work/disk/sorted puts back what was moved, then export again" "$work/errors" ||
  fail "move: $(cat "$work/errors")"
! grep -q "run it again" "$work/errors" || fail "move: $(cat "$work/errors")"
mount -o remount,size=64m "$work/disk"
move "$work/disk/rest" || fail "the rest into a new folder: $(cat "$work/errors")"
for folder in rest sorted; do
  "$query" undo "$work/disk/$folder" 2>"$work/errors" || fail "undo $folder: $(cat "$work/errors")"
done
of_moving | cmp - "$work/sums" || fail "moved and undone, there are other files"
move "$work/disk/sorted" || fail "export again: $(cat "$work/errors")"
"$query" undo "$work/disk/sorted" 2>"$work/errors" || fail "undo: $(cat "$work/errors")"
umount "$work/disk"

[ "$refused" -ge 4 ] || fail "only $refused of the disks were too small"
echo "$refused of 9 disks were too small; nothing was lost on any"
