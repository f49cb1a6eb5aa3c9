#!/usr/bin/env bash
# A real Slurm on three machines that are network namespaces of this one: the array job of docs/cluster.md, as it stands there but
# for the pictures' folder, indexes its parts, one machine is killed on the way, its element is queued again and finishes; then
# srun labels all parts with two processes on two machines, and the answers are those of one process. Takes two minutes, and
# needs ZEROSHELF_SLURM=1, root, slurm-wlm and munge.
# usage: slurm_test.sh ZEROSHELF_INDEX ZEROSHELF_QUERY ZEROSHELF_DRAW
set -euo pipefail

skip() {
  echo "skipped: $1"
  exit 77
}
if [ "${ZEROSHELF_IN_NAMESPACE:-}" != 1 ]; then
  [ -n "${ZEROSHELF_SLURM:-}" ] || skip "starts a scheduler; set ZEROSHELF_SLURM=1 as root"
  [ "$(id -u)" -eq 0 ] || skip "makes network namespaces, which only root may"
  for program in slurmctld slurmd munged sbatch srun ip unshare; do
    command -v "$program" >/dev/null || PATH=$PATH:/usr/sbin command -v "$program" >/dev/null ||
      skip "no $program (apt-get install --no-install-recommends slurm-wlm munge iproute2)"
  done
  unshare --net --mount --uts true 2>/dev/null || skip "no namespaces can be made here"
  ZEROSHELF_IN_NAMESPACE=1 exec unshare --net --mount --uts --pid --fork --mount-proc --kill-child "$0" "$@"
fi
index=$1 query=$2 draw=$3
page=$(cd "$(dirname "$0")/../../docs" && pwd)/cluster.md
export PATH=$PATH:/usr/sbin
work=$(mktemp -d)
clean() {
  umount -l /etc/hosts "$work/netns"/* /run/netns 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT
trap 'echo "slurm_test: line $LINENO failed" >&2' ERR
cd "$work"

fail() {
  echo "slurm_test: $1" >&2
  tail -n 30 "$work"/*.log >&2 || true
  exit 1
}
# Waits until the command succeeds.
wait_until() {
  local seconds=$1 what=$2
  shift 2
  for ((i = 0; i < seconds * 2; i++)); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.5
  done
  fail "$what: not within $seconds s"
}

# --- three machines -------------------------------------------------------------------------------
mkdir -p netns && mount --bind netns /run/netns 2>/dev/null || { mkdir -p /run/netns; mount -t tmpfs none /run/netns; }
ip link set lo up
ip link add zsbridge type bridge
ip link set zsbridge up
number=1
for machine in zsctl zsn1 zsn2; do
  ip netns add $machine
  ip link add veth$number type veth peer name eth0 netns $machine
  ip link set veth$number master zsbridge up
  ip -n $machine address add 10.99.0.$number/24 dev eth0
  ip -n $machine link set eth0 up
  ip -n $machine link set lo up
  echo "10.99.0.$number $machine" >>hosts
  number=$((number + 1))
done
echo "127.0.0.1 localhost" >>hosts
mount --bind hosts /etc/hosts
on() {
  local machine=$1
  shift
  # What PMIx puts into a folder for temporary files is each machine's own.
  ip netns exec "$machine" unshare --uts --mount sh -c 'hostname "$1"; mount --bind "$2/tmp.$1" "$2/tmp"; shift 2; exec "$@"' \
    sh "$machine" "$work" "$@"
}

# --- Slurm ----------------------------------------------------------------------------------------
head -c 64 /dev/urandom >munge.key
chmod 400 munge.key
mkdir -p state spool/zsn1 spool/zsn2 tmp tmp.zsctl tmp.zsn1 tmp.zsn2
munged --force --key-file="$work/munge.key" --socket="$work/munge.socket" --pid-file="$work/munge.pid" \
  --log-file="$work/munge.log" --seed-file="$work/munge.seed" --num-threads=2 2>/dev/null || fail "munged does not start"
cat >slurm.conf <<CONF
ClusterName=zeroshelf
SlurmctldHost=zsctl
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket,cred_expire=5
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool/%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.%n.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=bf_interval=1,sched_interval=2
ReturnToService=2
SlurmdTimeout=5
MessageTimeout=5
JobRequeue=1
MpiDefault=pmix
NodeName=zsn[1-2] CPUs=8 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
echo "CgroupPlugin=cgroup/v1" >cgroup.conf
echo "PMIxCliTmpDirBase=$work/tmp" >mpi.conf
export SLURM_CONF=$work/slurm.conf
on zsctl slurmctld -c
for machine in zsn1 zsn2; do on $machine slurmd; done
slurm() { on zsctl "$@"; }
are_idle() { [ "$(slurm sinfo -h -t idle -o %D | head -1)" = "$1" ]; }
wait_until 30 "both machines are there" are_idle 2

# --- the parts, by an array job -------------------------------------------------------------------
"$draw" memes "$work/pictures" --count 160 --seed 5 >/dev/null
echo "not a picture" >"$work/pictures/no-picture.jpg"
awk '/^```sh$/ { text = "\n"; next } /^```$/ { if (text ~ /#SBATCH/) printf "%s", substr(text, 2); text = ""; next }
  text != "" { text = text $0 "\n" }' "$page" | sed "s|/pictures|$work/pictures|" >index.sh
parts=$(sed -n 's/.*--shard \([0-9]*\).*/\1/p' index.sh)
[ "$parts" -gt 1 ] || fail "docs/cluster.md has no array job"
# On the second machine an element stands still in the middle when it runs for the first time, to be killed there.
mkdir bin
cat >bin/zeroshelf-index <<STANDING
#!/bin/sh
"$index" "\$@" --no-ocr --batch 2 &
if [ "\$(hostname)" = zsn2 ] && [ -z "\$SLURM_RESTART_COUNT" ]; then
  until [ -d "\$2" ]; do sleep 0.02; done
  sleep 0.1
  kill -STOP \$!
  echo \$SLURM_ARRAY_TASK_ID >>$work/stopped
fi
wait \$!
STANDING
chmod +x bin/zeroshelf-index
PATH=$work/bin:$PATH
slurm sbatch index.sh >/dev/null
wait_until 60 "an element runs on the second machine" test -s stopped
echo "killing zsn2 with element $(head -1 stopped)"
ip netns pids zsn2 | xargs -r kill -9 || true  # one may be gone
is_over() { [ -z "$(slurm squeue -h -r -t all -o '%t' | grep -v -x CD)" ]; }
wait_until 240 "the elements of the dead machine are queued again and finish" is_over
on zsn2 slurmd
wait_until 60 "the second machine is back" are_idle 2
for ((i = 0; i < parts; i++)); do "$index" verify "shelf/part$i" >/dev/null || fail "part$i is damaged"; done
grep -q no-picture.jpg index-*.out || fail "what was skipped is not told"

# --- all of them, by two processes on two machines -----------------------------------------------
export OMPI_MCA_btl=self,tcp OMPI_MCA_btl_tcp_if_include=eth0 OMPI_MCA_oob_tcp_if_include=eth0 PMIX_MCA_gds=hash
together() { slurm srun --mpi=pmix -N 2 -n 2 "$@"; }
"$index" add "$work/whole" "$work/pictures" --no-ocr >/dev/null 2>&1 || [ $? -eq 3 ]
for rule in image mix; do
  ask=(classify --labels "weapons, animals, plants" --fusion $rule --format jsonl)
  "$query" "${ask[0]}" "$work/whole" "${ask[@]:1}" >one 2>/dev/null
  together "$query" "${ask[0]}" "$work/shelf" "${ask[@]:1}" >all 2>together.log || fail "srun"
  cmp one all || fail "srun answers otherwise than one process ($rule)"
  [ "$(grep -c 'pictures labelled' together.log)" = 1 ] || fail "something is said twice"
done
echo "$parts parts, $(wc -l <all) answers, the same by one process and by two machines"
