#!/bin/bash
# user-manager.sh DIRECTORY: a real `systemd --user` for one unprivileged user, in private pid, mount, ipc and cgroup
# namespaces with a /run and a /home of their own. Needs root. DIRECTORY/settings.sh says how (see user-manager.ts).
# Prints "ready", then lives until it is killed, and all in it with it. The caller removes the cgroup and DIRECTORY.
set -euo pipefail
directory=$1
# shellcheck source=/dev/null
source "$directory/settings.sh"
: "${cgroup:?}" "${user:?}" "${uid:?}" "${home:?}" "${checkout:?}" "${node:?}" "${lingering:?}" "${ticking:?}"

if [[ ${2:-} != inside ]]; then
  echo $$ >"$cgroup/cgroup.procs"
  exec setpriv --pdeathsig KILL unshare --mount --cgroup --ipc --pid --fork --kill-child --mount-proc \
    --propagation private bash "$0" "$directory" inside
fi

# From here on this is process 1 of its own namespace.
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
mkdir -p /run/systemd/{system,unit-root,propagate} /run/lock /run/checkout /run/node /run/shared "/run/user/$uid"

# Wherever they lie, the user can reach them here, and cannot write to the checkout.
mount --bind "$directory/shared" /run/shared
mount --bind "$checkout" /run/checkout
mount -o remount,bind,ro /run/checkout
: >/run/node/node
mount --bind "$node" /run/node/node
{ cat /etc/passwd; echo "$user:x:$uid:$uid:test:$home:/bin/bash"; } >"$directory/passwd"
{ cat /etc/group; echo "$user:x:$uid:"; } >"$directory/group"
mount --bind "$directory/passwd" /etc/passwd
mount --bind "$directory/group" /etc/group

for place in /home /srv /var/lib/systemd; do mount -t tmpfs -o mode=755 tmpfs "$place"; done
for place in /tmp /var/tmp; do mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$place"; done
mkdir -p "$home"
chown "$uid:$uid" "$home" "/run/user/$uid"
chmod 700 "$home" "/run/user/$uid"
if [[ $lingering == yes ]]; then
  mkdir -p /var/lib/systemd/linger
  : >"/var/lib/systemd/linger/$user"
fi

if [[ $ticking == no ]]; then
  quiet=/run/systemd/user/takopi-github-token-refresh.timer.d
  mkdir -p "$quiet"
  printf '[Timer]\nOnCalendar=\nOnCalendar=2099-12-31\n' >"$quiet/quiet.conf"
fi

slice=/sys/fs/cgroup/user.slice/user-$uid.slice/user@$uid.service
mkdir -p "$slice"
chown "$uid:$uid" "$slice" "$slice"/cgroup.{procs,subtree_control,threads}

run_manager() {
  echo "$BASHPID" >"$slice/cgroup.procs"
  cd "$home"
  exec env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$home" USER="$user" LOGNAME="$user" SHELL=/bin/bash \
    LANG=C.UTF-8 XDG_RUNTIME_DIR="/run/user/$uid" \
    setpriv --reuid "$uid" --regid "$uid" --clear-groups /lib/systemd/systemd --user
}

# start_manager N: the manager for the Nth time; it can be reached when /run/managers/N is there.
start_manager() {
  rm -rf "/run/user/$uid/systemd" "/run/user/$uid/bus" # as at a boot
  (run_manager) </dev/null >/run/manager.log 2>&1 &
  manager=$!
  SECONDS=0
  while [[ ! -S /run/user/$uid/systemd/private || ! -S /run/user/$uid/bus ]]; do
    if ! kill -0 "$manager" || ((SECONDS > 30)); then
      cat /run/manager.log >&2
      exit 70
    fi
    sleep 0.01
  done
  mkdir -p /run/managers
  echo "$manager" >"/run/managers/$1"
}

start_manager 1
echo ready
starts=1
# As process 1, it reaps; and a manager that was told to exit is started again.
while :; do
  wait -n || :
  kill -0 "$manager" 2>/dev/null || start_manager $((++starts))
done
