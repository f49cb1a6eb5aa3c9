# Sourced by the tests that run the Dockerfile's steps in a new Debian made by mmdebstrap: what they share.
# After need_clean_root SUITE there is $mirror.

skip() {
  echo "skipped: $*"
  exit 77
}

# Ends the test as skipped, with a reason, where no such root can be made.
need_clean_root() {
  command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"
  [ "$(id -u)" -eq 0 ] || unshare --user --map-root-user true 2>/dev/null || skip "neither root nor user namespaces"
  mirror=${ZEROSHELF_DEBIAN_MIRROR:-$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -nE '/security/d; s/^(deb|URIs:) *(\[[^]]*\] *)?(https?:[^ ]*debian[^ ]*).*/\3/p' | sed -n 1p || true)}
  [ -n "$mirror" ] || skip "no Debian mirror in /etc/apt; name one in ZEROSHELF_DEBIAN_MIRROR"
  curl -sfI --max-time 20 "$mirror/dists/$1/Release" >/dev/null || skip "the mirror $mirror does not answer"
}

# docker_steps DOCKERFILE STAGE INSTRUCTION: what that stage (1, 2, ...) has behind RUN or CMD, without continued lines.
docker_steps() {
  awk -v stage="$2" -v what="$3" '
    /^FROM/ { at++ }
    /^[A-Z]+ / { taking = at == stage && $1 == what }
    taking { line = $0; sub("^" what " ", "", line); more = sub(/\\$/, "", line); printf "%s%s", line, more ? "" : "\n"; if (!more) taking = 0 }' "$1"
}

# in_clean_root SUITE INCLUDE FOLDER: runs FOLDER/inside.sh in a new root, where FOLDER is /given. $before_hook and $after_hook
# are run before and after it, outside, with the root's path as $1.
in_clean_root() {
  local own_mounts=()  # what is mounted in the root is not to be seen outside
  [ "$(id -u)" -ne 0 ] || own_mounts=(unshare --mount)
  # (apt's own user may be refused /dev/null in a container.)
  "${own_mounts[@]}" mmdebstrap --variant=apt --include="mount,$2" --aptopt='APT::Sandbox::User "root"' \
    ${before_hook:+--customize-hook="$before_hook"} --customize-hook='mkdir "$1/given"' --customize-hook="sync-in $3 /given" \
    --customize-hook='chroot "$1" bash /given/inside.sh' \
    ${after_hook:+--customize-hook="$after_hook"} "$1" - "$mirror" >/dev/null
}
