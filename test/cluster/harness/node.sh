# The first process of a node: gives it a root of its own (an overlay over $ROOT, which may be this machine's; its changes
# stay in memory), its own /proc, /sys, /dev, /run and control groups, and then waits for orphans as long as it lives.
# Arguments: NAME, then folders of this machine that it has too, for reading.
set -eu
name=$1
shift
hostname "$name"
ip link set lo up

own=/mnt
mount -t tmpfs -o mode=755 tmpfs "$own"
mkdir "$own/changes" "$own/work" "$own/root" "$own/data"
root=$own/root
# The changes must lie on another file system than what they change.
mount -t overlay -o "lowerdir=$ROOT,upperdir=$own/changes,workdir=$own/work" overlay "$root"
# What containerd stacks overlays on cannot be an overlay.
for folder in /var/lib/containerd /var/lib/docker /var/lib/kubelet /var/log/pods /var/log/containers; do
  mkdir -p "$own/data$folder" "$root$folder"
  mount --bind "$own/data$folder" "$root$folder"
done

cd "$root"
mkdir -p .machine
mount -t proc proc proc
# The kubelet sets these for the whole machine, and leaves alone what has its value already.
mkdir -p "$own/sysctl"
while read -r path value; do
  echo "$value" >"$own/sysctl/$(basename "$path")"
  mount --bind "$own/sysctl/$(basename "$path")" "proc/sys/$path"
done <<'SYSCTLS'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
SYSCTLS
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
while read -r folder options; do
  mkdir "sys/fs/cgroup/$folder"
  mount -t cgroup -o "$options" cgroup "sys/fs/cgroup/$folder"
done <<<"$HIERARCHIES"
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty kmsg; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm dev/mqueue
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs dev/shm
mount -t mqueue mqueue dev/mqueue
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
for folder in "$@"; do
  mkdir -p "$root$folder"
  mount --bind "$folder" "$root$folder"
  mount -o remount,bind,ro "$root$folder"
done
: >etc/resolv.conf
printf '127.0.0.1 localhost\n' >etc/hosts
pivot_root . .machine
umount -l /.machine
cd /
mount --make-rshared /
echo 1 >/proc/sys/net/ipv4/ip_forward
echo ready
while :; do
  sleep 1000 &
  wait $! || true
done
