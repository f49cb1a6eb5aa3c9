#!/usr/bin/env bash
# Installs the packages of ./dev package in a new Debian 12 made by mmdebstrap, as the Dockerfile's last stage does; uses them
# there as compose.yaml does: not root, without any right, nothing to be written but the volume and /tmp, pictures read-only, by
# hand and by the Dockerfile's command; builds a program against them, and purges them. Nothing of the source tree or the build
# folder is there. Skipped, with a reason, where there are no packages, no mmdebstrap, no rights to change roots, or no Debian
# mirror. (The Dockerfile's first stage: build_stage_test.sh.)
set -euo pipefail
source=$1
packages=$source/build/package
. "$source/tests/package/clean_root.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What is run below in its stead is what compose.yaml asks for.
for line in 'read_only: true' 'tmpfs: \[/tmp\]' 'cap_drop: \[ALL\]' 'security_opt: \["no-new-privileges:true"\]' \
  '- \${PICTURES:-./pictures}:/pictures:ro' '- collection:/collection' 'ports: \["127.0.0.1:8642:8642"\]'; do
  grep -q -- "^ *$line\$" "$source/compose.yaml" || { echo "package_test: compose.yaml has no $line" >&2; exit 1; }
done
if python3 -c 'import yaml' 2>/dev/null; then python3 -c 'import sys, yaml; yaml.safe_load(sys.stdin)' <"$source/compose.yaml"; fi
grep -qx 'EXPOSE 8642' "$source/Dockerfile"
grep -qx 'USER zeroshelf' "$source/Dockerfile"
grep -qx 'ENV HOME=/collection' "$source/Dockerfile"
health=$(sed -n 's/^HEALTHCHECK CMD \[\(.*\)\]$/\1/p' "$source/Dockerfile")
[ -n "$health" ]

compgen -G "$packages/zeroshelf_*.deb" >/dev/null || skip "no packages in $packages; ./dev package makes them"
need_clean_root bookworm
given=$work/given
mkdir "$given"
cp "$packages"/*.deb "$given"
cp -r "$source/tests/package/consumer" "$given/consumer"
words() { tr -d '[]"\n' | sed 's/, */\n/g'; }
docker_steps "$source/Dockerfile" 2 RUN >"$given/install.sh"
docker_steps "$source/Dockerfile" 2 CMD | words >"$given/command"
words <<<"$health" >"$given/health"
grep -q 'apt-get install' "$given/install.sh"
grep -qx 'serve' "$given/command"
cat >"$given/user.sh" <<'USER'
set -euxo pipefail
cd /collection
! touch /pictures/new || exit 1
! touch /usr/new || exit 1
zeroshelf-index --version
zeroshelf-index doctor
zeroshelf-index add photos.shelf /pictures
test "$(zeroshelf-query classify photos.shelf --labels 'red, blue' --format csv | wc -l)" -eq 3
zeroshelf-index verify photos.shelf
zeroshelf-fetch --list >list
grep -q '^ViT-B-32' list
mapfile -t command </given/command
"${command[@]}" >/collection/listening &
server=$!
for _ in $(seq 100); do [ ! -s /collection/listening ] || break; sleep 0.2; done
mapfile -t health </given/health
"${health[@]}"
curl -fsS -H "Authorization: Bearer $(cat token)" http://127.0.0.1:8642/v1/collection >answer
grep -q '"version":"0' answer
test "$(curl -s -o /collection/refused -w '%{http_code}' http://127.0.0.1:8642/v1/collection)" -eq 401
kill "$server"
wait "$server"
USER
# A root in which only /collection and /tmp can be written, and no rights.
cat >"$given/contained.sh" <<'CONTAINED'
set -euxo pipefail
mount --make-rprivate /proc 2>/dev/null || true
mount --rbind / /mnt
mount -o remount,bind,ro /mnt
mount -t tmpfs tmpfs /mnt/tmp
mount --bind /collection /mnt/collection
mount --bind /pictures /mnt/pictures
mount -o remount,bind,ro /mnt/pictures
exec chroot /mnt setpriv --reuid zeroshelf --regid zeroshelf --clear-groups --no-new-privs --bounding-set -all --inh-caps -all \
  env -i PATH=/usr/bin:/bin HOME=/collection bash /given/user.sh
CONTAINED
cat >"$given/inside.sh" <<'INSIDE'
set -euxo pipefail
export DEBIAN_FRONTEND=noninteractive
# Where the machine's own /dev/null is root's alone.
mknod -m 666 /run/null c 1 3 && mount --bind /run/null /dev/null || true
trap 'umount /dev/null || true' EXIT  # a root with a mount in it is not removed
cp /given/zeroshelf*.deb /tmp
bash -euxc "$(cat /given/install.sh)"
# Two pictures without any tool: plain colours.
for colour in '\377\020\020' '\020\020\377'; do
  name=/pictures/$(printf %s "$colour" | tr -dc 0-9).ppm
  { printf 'P6\n64 64\n255\n'; for _ in $(seq 4096); do printf "$colour"; done; } >"$name"
done
# (The root is no mount point, whose propagation could be changed.)
unshare --mount --propagation unchanged bash /given/contained.sh
test -s /usr/lib/systemd/user/zeroshelf-serve@.service
test -s /usr/lib/systemd/user/zeroshelf-watch@.service
cd /given
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
# Two processes answer as one.
zeroshelf-index add /collection/more.shelf /pictures
classify=(zeroshelf-query classify /collection/photos.shelf /collection/more.shelf --labels 'red, blue' --format csv)
together=(mpirun --allow-run-as-root --oversubscribe --mca plm isolated --mca btl self,vader,tcp
  --mca btl_vader_single_copy_mechanism none -n 2 "${classify[@]}")
apt-get install -y --no-install-recommends openmpi-bin
! "${together[@]}" >/dev/null 2>without || exit 1
grep -q libzeroshelf-mpi without
apt-get install -y --no-install-recommends ./libzeroshelf-mpi_*.deb
"${together[@]}" >answers
"${classify[@]}" | cmp - answers
apt-get purge -y 'zeroshelf*' 'libzeroshelf*'
hash -r  # a place where it was found before does not count
! command -v zeroshelf-query || exit 1
test ! -e /usr/share/zeroshelf
test ! -e /usr/lib/systemd/user/zeroshelf-serve@.service
test ! -e /usr/lib/systemd/user/zeroshelf-watch@.service
test -z "$(find /usr /etc /var/lib/dpkg/info -name '*zeroshelf*')"
test -e /collection/photos.shelf/CURRENT
INSIDE
in_clean_root bookworm ca-certificates "$given"
echo "passed"
