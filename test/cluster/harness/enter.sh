# The first process of an enclosure: gives it a /proc, a /sys and a loopback of its own, runs the command, passes
# signals on, and waits for orphans. All that the command started ends when this ends.
set -eu
mount -t proc proc /proc
# With /sys/fs/cgroup as it is: nodes get theirs below it.
mount --rbind /sys/fs/cgroup /mnt
mount -t sysfs sysfs /sys
mount --rbind /mnt /sys/fs/cgroup
umount -l /mnt
ip link set lo up
"$@" &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM INT HUP
set +e
while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done
exit "$status"
