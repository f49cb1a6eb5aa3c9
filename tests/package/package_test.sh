#!/usr/bin/env bash
# Installs the packages of ./dev package in a new Debian 12 made by mmdebstrap, as the Dockerfile does; uses them there as
# somebody who is not root, by hand and as the Dockerfile's command; builds a program against them, and purges them. Nothing
# of the source tree or the build folder is there. Skipped, with a reason, where there are no packages, no mmdebstrap, no
# rights to change roots, or no Debian mirror.
set -euo pipefail
source=$1
packages=$source/build/package
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
  echo "skipped: $*"
  exit 77
}
# What a Dockerfile's last stage runs, and the words of its CMD, one a line.
steps() {
  awk '/^FROM/ { text = ""; taking = 0 } /^(RUN|CMD) / { taking = ($1 == what) } taking { text = text $0 "\n" } !/\\$/ { taking = 0 }
       END { sub(what " ", "", text); gsub(/\\\n/, "", text); print text }' what="$1" "$source/Dockerfile"
}
compgen -G "$packages/zeroshelf_*.deb" >/dev/null || skip "no packages in $packages; ./dev package makes them"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"
[ "$(id -u)" -eq 0 ] || unshare --user --map-root-user true 2>/dev/null || skip "neither root nor user namespaces"
mirror=${ZEROSHELF_DEBIAN_MIRROR:-$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
  sed -nE '/security/d; s/^(deb|URIs:) *(\[[^]]*\] *)?(https?:[^ ]+).*/\3/p' | sed -n 1p || true)}
[ -n "$mirror" ] || skip "no Debian mirror in /etc/apt; name one in ZEROSHELF_DEBIAN_MIRROR"
curl -sfI --max-time 20 "$mirror/dists/bookworm/Release" >/dev/null || skip "the mirror $mirror does not answer"

mkdir "$work/debs"
cp "$packages"/*.deb "$work/debs"
cp -r "$source/tests/package/consumer" "$work/debs/consumer"
steps RUN >"$work/debs/install.sh"
steps CMD | tr -d '[]"\n' | sed 's/, */\n/g' >"$work/debs/command"
grep -q 'apt-get install' "$work/debs/install.sh"
grep -qx 'serve' "$work/debs/command"
cat >"$work/debs/user.sh" <<'USER'
set -euxo pipefail
cd /collection
zeroshelf-index doctor
# Two pictures without any tool: plain colours.
for colour in '\377\020\020' '\020\020\377'; do
  name=/pictures/$(printf %s "$colour" | tr -dc 0-9).ppm
  { printf 'P6\n64 64\n255\n'; for _ in $(seq 4096); do printf "$colour"; done; } >"$name"
done
zeroshelf-index add photos.shelf /pictures
test "$(zeroshelf-query classify photos.shelf --labels 'red, blue' --format csv | wc -l)" -eq 3
zeroshelf-index verify photos.shelf
zeroshelf-fetch --list >list
grep -q '^ViT-B-32' list
mapfile -t command </debs/command
"${command[@]}" >/collection/listening &
server=$!
for _ in $(seq 100); do [ ! -s /collection/listening ] || break; sleep 0.2; done
curl -fsS http://127.0.0.1:8642/healthz
curl -fsS -H "Authorization: Bearer $(cat token)" http://127.0.0.1:8642/v1/collection >answer
grep -q '"version":"0' answer
test "$(curl -s -o /collection/refused -w '%{http_code}' http://127.0.0.1:8642/v1/collection)" -eq 401
kill "$server"
wait "$server"
USER
cat >"$work/debs/inside.sh" <<'INSIDE'
set -euxo pipefail
export DEBIAN_FRONTEND=noninteractive
# Where the machine's own /dev/null is root's alone.
mknod -m 666 /run/null c 1 3 && mount --bind /run/null /dev/null || true
cp /debs/zeroshelf*.deb /tmp
bash -euxc "$(cat /debs/install.sh)"
chown zeroshelf /pictures
setpriv --reuid zeroshelf --regid zeroshelf --clear-groups env -i PATH=/usr/bin:/bin HOME=/collection bash /debs/user.sh
test -s /usr/lib/systemd/user/zeroshelf-serve@.service
test -s /usr/lib/systemd/user/zeroshelf-watch@.service
cd /debs
apt-get update
apt-get install -y --no-install-recommends cmake make g++ ./libzeroshelf-dev_*.deb
cmake -S consumer -B /consumer -DCMAKE_BUILD_TYPE=Release
cmake --build /consumer
/consumer/counts /collection/photos.shelf 'red, blue'
# libtorch answers, which has no CUDA here; before, there was none.
! zeroshelf-query embed --text x --device cuda 2>without
grep -q libzeroshelf-torch without
apt-get install -y --no-install-recommends ./libzeroshelf-torch_*.deb
! zeroshelf-query embed --text x --device cuda 2>with
grep -q 'without CUDA' with
apt-get purge -y 'zeroshelf*' 'libzeroshelf*'
! command -v zeroshelf-query
test ! -e /usr/share/zeroshelf
test ! -e /usr/lib/systemd/user/zeroshelf-serve@.service
test ! -e /usr/lib/systemd/user/zeroshelf-watch@.service
test -e /collection/photos.shelf/CURRENT
umount /dev/null || true
INSIDE
# (apt's own user may be refused /dev/null in a container.)
mmdebstrap --variant=apt --include=ca-certificates --aptopt='APT::Sandbox::User "root"' \
  --customize-hook="copy-in $work/debs /" --customize-hook='chroot "$1" bash /debs/inside.sh' \
  bookworm - "$mirror" >/dev/null
echo "passed"
