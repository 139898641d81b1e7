// Ways in which a host may use a PCI function, as data: what begins the use, what ends it, and the blocker that the
// agent has to see in between.
import type { BlockerKind } from '../../../src/ownership/catalogue.ts';

/** One use. `start` and `end` are shell; `$dev` is the function's block device, `$net` its network interface. */
export interface UseCase {
  readonly name: string;
  readonly address: string;
  readonly kind: BlockerKind;
  readonly start: string;
  readonly end: string;
  /** It is there from the start; only its end can be brought about. */
  readonly sinceBoot?: true;
  /** What the monitor is told before `start`, and after `end`. */
  readonly plug?: string;
  readonly unplug?: string;
}

const nvme = '0000:01:00.0';
const virtioDisk = '0000:08:00.0';
const freeNic = '0000:03:00.0';
const igb = '0000:07:00.0';
const usb = '0000:0a:00.0';
/** The boot display: it is that from the start, and stays it. */
export const display = '0000:00:02.0';

/** A program in the background that holds what it opened. It lets go of the pipe by which its starter waits. */
const hold = (redirect: string): string =>
  `(exec sleep 1000 ${redirect} 2>/dev/null) & echo $! >/tmp/holder`;
/** Waits for what was begun in the background: a guest without a free core takes its time. */
const until = (condition: string): string =>
  `for n in $(seq 300); do ${condition} && break; sleep 0.1; done`;
const letGo = 'kill $(cat /tmp/holder); sleep 0.2';
const wipe = 'dd if=/dev/zero of=$dev bs=64k count=16 2>/dev/null';

/** LVM without the daemons it has on a host: it makes its device nodes itself. */
const lvm = (command: string): string =>
  `lvm ${command} --config 'devices{obtain_device_list_from_udev=0 use_devicesfile=0} activation{udev_sync=0 udev_rules=0 monitoring=0} global{event_activation=0} backup{backup=0 archive=0}'`;

/** Every use that the guest can show. */
export const useCases: readonly UseCase[] = [
  {
    name: 'a mounted ext4',
    address: nvme,
    kind: 'FilesystemMounted',
    start: 'mke2fs -q -F -j -O extent $dev && mount -t ext4 $dev /mnt',
    end: 'umount /mnt',
  },
  {
    name: 'an ext4 mounted in a private mount namespace only',
    address: nvme,
    kind: 'FilesystemMounted',
    start:
      "mke2fs -q -F -j -O extent $dev; unshare -m sh -c 'mount --make-rprivate / ; mount $0 /mnt && exec sleep 1000' $dev 2>/dev/null & echo $! >/tmp/holder; " +
      until("grep -q ' /mnt ' /proc/$(cat /tmp/holder)/mountinfo"),
    end: letGo,
  },
  {
    name: 'swap',
    address: nvme,
    kind: 'SwapActive',
    start: `${wipe}; mkswap $dev >/dev/null && swapon $dev`,
    end: `swapoff $dev; ${wipe}`,
  },
  {
    name: 'a device-mapper table',
    address: nvme,
    kind: 'DeviceMapperActive',
    start: 'echo "0 1024 linear $dev 0" | dmsetup create --noudevsync linear1',
    end: 'dmsetup remove --noudevsync linear1',
  },
  {
    name: 'an active logical volume',
    address: nvme,
    kind: 'VolumeGroupActive',
    start: `${lvm('pvcreate -y')} $dev && ${lvm('vgcreate')} vg7 $dev && ${lvm('lvcreate -y -Zn -Wn -l 4 -n lv7')} vg7`,
    end: `${lvm('vgchange -an')} vg7; ${lvm('vgremove -f')} vg7; ${lvm('pvremove')} $dev; ${wipe}`,
  },
  {
    name: 'a dm-crypt mapping',
    address: virtioDisk,
    kind: 'DeviceMapperActive',
    start:
      'echo "0 1024 crypt aes-xts-plain64 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff 0 $dev 0" | dmsetup create --noudevsync crypt1',
    end: 'dmsetup remove --noudevsync crypt1',
  },
  {
    name: 'an md array',
    address: nvme,
    kind: 'RaidArrayActive',
    start:
      'mdadm --create /dev/md0 --run --force --level=1 --raid-devices=1 --metadata=1.2 $dev 2>&1',
    end: `mdadm --stop /dev/md0 2>&1; ${wipe}`,
  },
  {
    name: 'a mounted btrfs',
    address: nvme,
    kind: 'FilesystemMounted',
    start: 'mkfs.btrfs -q -f -M -n 4096 $dev && mount -t btrfs $dev /mnt',
    end: `umount /mnt; ${wipe}`,
  },
  {
    name: 'a loop device',
    address: nvme,
    kind: 'LoopBacking',
    start: 'losetup /dev/loop3 $dev',
    end: 'losetup -d /dev/loop3',
  },
  {
    name: 'a program that reads the disk',
    address: virtioDisk,
    kind: 'BlockDeviceOpen',
    start: hold('<$dev'),
    end: letGo,
  },
  {
    name: 'an interface that is up',
    address: freeNic,
    kind: 'NetworkInterfaceUp',
    start: 'ip link set $net up',
    end: 'ip link set $net down',
  },
  {
    name: 'an interface with an address',
    address: freeNic,
    kind: 'NetworkAddress',
    start: 'ip link set $net up; ip addr add 10.9.0.2/24 dev $net',
    end: 'ip addr flush dev $net; ip link set $net down',
  },
  {
    name: 'a default route',
    address: freeNic,
    kind: 'NetworkDefaultRoute',
    start:
      'ip link set $net up; ip addr add 10.9.0.2/24 dev $net; ip route add default via 10.9.0.1 dev $net onlink',
    end: 'ip route del default; ip addr flush dev $net; ip link set $net down',
  },
  {
    name: 'a default route of IPv6',
    address: freeNic,
    kind: 'NetworkDefaultRoute',
    start:
      'ip link set $net up; ip -6 addr add fd00::2/64 dev $net nodad; ip -6 route add default via fd00::1 dev $net onlink',
    end: 'ip -6 route del default; ip addr flush dev $net; ip link set $net down',
  },
  {
    name: 'an interface in a bridge',
    address: freeNic,
    kind: 'NetworkLowerDevice',
    start: 'ip link add br7 type bridge; ip link set $net master br7',
    end: 'ip link set $net nomaster; ip link del br7; ip link set $net down',
  },
  {
    name: 'an interface in a bond',
    address: freeNic,
    kind: 'NetworkLowerDevice',
    start: 'ip link add bond7 type bond; ip link set $net master bond7',
    end: 'ip link set $net nomaster; ip link del bond7; ip link set $net down',
  },
  {
    name: 'an interface that is in another network namespace',
    address: freeNic,
    kind: 'NetworkInOtherNamespace',
    start:
      'unshare -n sleep 1000 2>/dev/null & echo $! >/tmp/holder; ' +
      until(
        '[ "$(readlink /proc/$(cat /tmp/holder)/ns/net)" != "$(readlink /proc/self/ns/net)" ]',
      ) +
      '; ip link set $net netns $(cat /tmp/holder)',
    end: `${letGo}; sleep 1`,
  },
  {
    name: 'virtual functions of an igb',
    address: igb,
    kind: 'VirtualFunctionsExist',
    start: 'echo 2 >/sys/bus/pci/devices/0000:07:00.0/sriov_numvfs',
    end: 'echo 0 >/sys/bus/pci/devices/0000:07:00.0/sriov_numvfs',
  },
  {
    name: 'the system console on a framebuffer',
    address: display,
    kind: 'FramebufferConsole',
    sinceBoot: true,
    start: 'true',
    end: "for each in /sys/class/vtconsole/*; do grep -q 'frame buffer' $each/name && echo 0 >$each/bind; done; true",
  },
  {
    name: 'a USB keyboard',
    address: usb,
    kind: 'UsbInput',
    plug: 'device_add usb-kbd,id=kbd,bus=xhci.0',
    start: `${until('ls /sys/bus/usb/devices/*/*/input /sys/bus/usb/devices/*/*/*/input >/dev/null 2>&1')}; sleep 1`,
    unplug: 'device_del kbd',
    end: 'sleep 1',
  },
  {
    name: 'a USB disk',
    address: usb,
    kind: 'UsbStorage',
    plug: 'device_add usb-storage,id=stick,bus=xhci.0,drive=d3',
    start: `${until('ls /sys/block/sd* >/dev/null 2>&1')}; sleep 1`,
    unplug: 'device_del stick',
    end: 'sleep 1',
  },
  {
    name: 'a program that holds a group of VFIO',
    address: freeNic,
    kind: 'ForeignVfioUser',
    start:
      'cd /sys/bus/pci; echo vfio-pci >devices/0000:03:00.0/driver_override; echo 0000:03:00.0 >drivers/e1000e/unbind; echo 0000:03:00.0 >drivers_probe; mkfifo /tmp/in; (exec 3<>/tmp/in; exec vfio-user $(basename $(readlink devices/0000:03:00.0/iommu_group)) 0000:03:00.0 <&3 >/tmp/said 2>&1) & echo $! >/tmp/holder; ' +
      until('grep -q holding /tmp/said') +
      '; grep -q holding /tmp/said',
    end: `${letGo}; rm /tmp/in; cd /sys/bus/pci; echo >devices/0000:03:00.0/driver_override; echo 0000:03:00.0 >drivers/vfio-pci/unbind; echo 0000:03:00.0 >drivers_probe; sleep 1`,
  },
];
