#!/bin/bash
# container.sh DIRECTORY: what a container engine makes of a pod, without one: private mount, pid and ipc namespaces and a
# read-only root, in which `nsenter` then starts each container. Needs root. DIRECTORY/settings.sh says what lies where.
# Prints "ready", then lives until it is killed, and all in it with it.
set -euo pipefail
directory=$1
# shellcheck source=/dev/null
source "$directory/settings.sh"
: "${app:?}" "${node:?}" "${secrets:?}" "${shared:?}" "${group:?}"

if [[ ${2:-} != inside ]]; then
  exec setpriv --pdeathsig KILL unshare --mount --ipc --pid --fork --kill-child --propagation private \
    bash "$0" "$directory" inside
fi

root=$directory/root
mkdir -p "$root"
mount -t tmpfs -o mode=755,size=1m tmpfs "$root"
cd "$root"
mkdir -p app/dist nodejs/bin proc dev etc usr tmp workspace shared run/github run/secrets/github-app var
ln -s ../run var/run
for name in bin sbin lib lib32 lib64 libx32; do
  if [[ -L /$name ]]; then ln -s "$(readlink "/$name")" "$name"; elif [[ -d /$name ]]; then
    mkdir "$name"
    mount --bind "/$name" "$name"
  fi
done
read_only() {
  mount --bind "$1" "$2"
  mount -o remount,bind,ro,nosuid,nodev "$2"
}
read_only /usr usr
read_only /etc etc
read_only "$app/dist" app/dist
: >app/package.json
read_only "$app/package.json" app/package.json
: >nodejs/bin/node
read_only "$node" nodejs/bin/node
read_only "$secrets" run/secrets/github-app
read_only "$shared" shared
mount -t proc -o nosuid,nodev,noexec proc proc
for name in null zero random urandom; do
  : >"dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
# As Kubernetes mounts an emptyDir for an fsGroup.
mount -t tmpfs -o "mode=2777,gid=$group,size=1m,nosuid,nodev,noexec" tmpfs run/github
for name in workspace tmp; do mount -t tmpfs -o mode=1777,size=16m,nosuid,nodev tmpfs "$name"; done
mount -o remount,ro "$root"
echo ready
while :; do wait -n || :; sleep 1; done # as process 1, it reaps
