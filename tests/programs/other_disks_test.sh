#!/bin/bash
# Exports to exFAT and FAT: every format is written there or refused once with the cure, a move and its
# undo lose nothing, and a collection may be kept there.
#
#   other_disks_test.sh BUILD_FOLDER
#
# Each disk is an image, mounted by the kernel or by FUSE (exfat-fuse, fusefat); skipped (77) where
# neither may be done.
set -euo pipefail

build=$1
index=$build/indexer/zeroshelf-index query=$build/query/zeroshelf-query draw=$build/models/train/zeroshelf-draw
work=$(mktemp -d /tmp/zeroshelf-other-disks-XXXXXX)
loops=()
tidy() {
  for disk in exfat vfat; do umount "$work/$disk" 2>/dev/null || true; done
  for loop in ${loops[@]+"${loops[@]}"}; do losetup -d "$loop" 2>/dev/null || true; done
  rm -rf "$work"
}
trap tidy EXIT
fail() { echo "FAILED: $*"; exit 1; }

# mounted KIND: an empty disk at $work/KIND
mounted() {
  command -v "mkfs.$1" >/dev/null || { echo "no mkfs.$1 here"; return 1; }
  truncate -s 64M "$work/$1.image"
  "mkfs.$1" "$work/$1.image" >/dev/null
  mkdir "$work/$1"
  mount -t "$1" -o loop "$work/$1.image" "$work/$1" 2>/dev/null && return 0
  if [ "$1" = vfat ]; then
    fusefat -o rw+ "$work/$1.image" "$work/$1" >/dev/null 2>&1 && return 0
  else
    local loop
    loop=$(losetup -f --show "$work/$1.image" 2>/dev/null) || { echo "no loop device here"; return 1; }
    loops+=("$loop")
    mount.exfat-fuse "$loop" "$work/$1" >/dev/null 2>&1 && return 0
  fi
  echo "$1 may not be mounted here"
  return 1
}

export_to() { "$query" export "$work/shelf" --labels "Doom, Animal Crossing, who?, doom" --to "$@" 2>"$work/errors"; }

exports_and_collections() {
  local disk=$1 format mode
  for format in csv jsonl coco html labelstudio; do
    export_to "$disk/o.$format" --format "$format" || fail "$disk: $format: $(cat "$work/errors")"
  done
  for format in folders imagefolder fiftyone; do
    export_to "$disk/$format" --format "$format" --mode copy || fail "$disk: $format: $(cat "$work/errors")"
  done
  for mode in symlink hardlink; do
    export_to "$disk/links" --mode "$mode" && fail "$disk: $mode was not refused"
    [ "$(grep -c "its file system has no" "$work/errors")" -eq 1 ] || fail "$disk: $mode: $(cat "$work/errors")"
    [ ! -e "$disk/links" ] || fail "$disk: $mode left something"
  done
  export_to "$disk/moved" --mode move || fail "$disk: move: $(cat "$work/errors")"
  [ -z "$(find "$work/memes" -name '*.png')" ] || fail "$disk: something was not moved"
  "$query" undo "$disk/moved" 2>"$work/errors" || fail "$disk: undo: $(cat "$work/errors")"
  (cd "$work/memes" && find . -type f -exec sha256sum {} + | sort) | cmp - "$work/sums" || fail "$disk: undo"
  [ ! -e "$disk/moved" ] || fail "$disk: undo left $(find "$disk/moved"): $(cat "$work/errors")"
  "$index" add "$disk/shelf" "$work/memes" --no-ocr 2>"$work/errors" || fail "$disk: add: $(cat "$work/errors")"
  "$query" classify "$disk/shelf" --labels "Doom, Animal Crossing" --save kept >/dev/null 2>&1 || fail "$disk: classify"
  "$index" compact "$disk/shelf" >/dev/null 2>&1 || fail "$disk: compact"
  "$index" verify "$disk/shelf" >"$work/errors" || fail "$disk: verify: $(cat "$work/errors")"
}

# Pictures that are on the disk, and stay there.
pictures_there() {
  local disk=$1
  cp -r "$work/memes" "$disk/DCIM"
  "$index" add "$work/$2-shelf" "$disk/DCIM" --no-ocr 2>"$work/errors" || fail "$disk: $(cat "$work/errors")"
  "$index" add "$work/$2-shelf" "$disk/dcim" --no-ocr --json >"$work/lines" 2>"$work/errors" ||
    fail "$disk: $(cat "$work/errors")"
  grep -q '"added":0' "$work/lines" || fail "$disk: a folder in other capitals is another: $(tail -1 "$work/lines")"
  ! "$query" duplicates "$work/$2-shelf" --kind same_picture --cosine 1 >"$work/lines" 2>&1 ||
    fail "$disk: a picture is its own double: $(head -3 "$work/lines")"
}

tried=0
for kind in exfat vfat; do
  if ! mounted "$kind"; then continue; fi
  tried=$((tried + 1))
  if [ ! -e "$work/memes" ]; then
    "$draw" memes "$work/memes" --count 24 --seed 5
    (cd "$work/memes" && find . -type f -exec sha256sum {} + | sort) >"$work/sums"
    "$index" add "$work/shelf" "$work/memes" --no-ocr 2>"$work/errors" || fail "$(cat "$work/errors")"
  fi
  exports_and_collections "$work/$kind"
  pictures_there "$work/$kind" "$kind"
  umount "$work/$kind"
done
[ "$tried" -gt 0 ] || { echo "skipped: no disk could be mounted"; exit 77; }
echo "$tried kinds of disks"
