#!/usr/bin/env bash
# The Dockerfile's first stage in a new Debian 12 made by mmdebstrap: what `docker build` would copy of this source tree is
# built into packages there, with the packages that ./dev names and nothing else. It compiles everything, so it runs only where
# ZEROSHELF_BUILD_STAGE names a folder, into which the packages are put.
# ZEROSHELF_CCACHE: a folder of ccache's to be used there, to be sooner done.
set -euo pipefail
source=$1
. "$source/tests/package/clean_root.sh"
[ -n "${ZEROSHELF_BUILD_STAGE:-}" ] || skip "it compiles everything; ZEROSHELF_BUILD_STAGE=FOLDER runs it and keeps the packages"
need_clean_root bookworm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/given" "$ZEROSHELF_BUILD_STAGE"
git clone -q --depth 1 "file://$(readlink -f "$source")" "$work/given/src"
docker_steps "$source/Dockerfile" 1 RUN >"$work/given/build.sh"
grep -q './dev package' "$work/given/build.sh"
[ "$(sed -n '/^FROM/,/^FROM/p' "$source/Dockerfile" | grep -cE '^(COPY \. |WORKDIR )/src$')" -eq 2 ]
cat >"$work/given/inside.sh" <<'INSIDE'
set -euxo pipefail
export DEBIAN_FRONTEND=noninteractive
mknod -m 666 /run/null c 1 3 && mount --bind /run/null /dev/null || true
trap 'umount /dev/null || true' EXIT  # a root with a mount in it is not removed
mv /given/src /src
cd /src
bash -euxc "$(cat /given/build.sh)"
mv build/package/*.deb /given
INSIDE
if [ -n "${ZEROSHELF_CCACHE:-}" ]; then
  sed -i "s|^cd /src|export CCACHE_DIR=/ccache CCACHE_BASEDIR=/src CCACHE_NOHASHDIR=1\n&|" "$work/given/inside.sh"
  before_hook="mkdir \"\$1/ccache\" && mount --bind '$(readlink -f "$ZEROSHELF_CCACHE")' \"\$1/ccache\""
fi
after_hook="${before_hook:+umount \"\$1/ccache\"; }cp \"\$1\"/given/*.deb '$(readlink -f "$ZEROSHELF_BUILD_STAGE")'"
in_clean_root bookworm ca-certificates "$work/given"
ls -l "$ZEROSHELF_BUILD_STAGE"/*.deb
echo "passed"
