// The command line of QEMU for one guest, and the disk images that its shape asks for.
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KernelTree, Rig } from './rig.ts';
import type { Shape } from './shapes.ts';

/** What the command line depends on. */
export interface Machine {
  readonly rig: Rig;
  readonly kernel: KernelTree;
  readonly shape: Shape;
  /** Images by the names that the shape gives to its disks; those that are not here are empty ones, made anew. */
  readonly disks?: Readonly<Record<string, string>>;
}

const diskBytes = 64 * 1024 * 1024;
const everyGuest = [
  ...['console=ttyS0', 'rdinit=/init', 'panic=-1', 'quiet', 'loglevel=4', 'mitigations=off'],
  ...['nowatchdog', 'tsc=reliable', 'no_timer_check', 'net.ifnames=0'],
];

function emptyDisk(path: string): string {
  writeFileSync(path, '');
  truncateSync(path, diskBytes);
  return path;
}

/** The program and its arguments. The folder of the run has the initramfs, and gets console, monitor and disks. */
export function qemuCommand(
  { rig, shape, kernel, disks = {} }: Machine,
  folder: string,
): readonly [string, ...string[]] {
  const prefix = join(rig[shape.qemu], 'usr');
  const libraries = join(prefix, 'lib/x86_64-linux-gnu');
  const withDisks = shape.options.map((option) =>
    option.replace(
      /\{disk:(\w+)\}/g,
      (_, name: string) => disks[name] ?? emptyDisk(join(folder, `${name}.img`)),
    ),
  );
  const firmware = ['share/qemu', 'share/seabios', 'lib/ipxe/qemu'];
  return [
    join(libraries, 'ld-linux-x86-64.so.2'),
    ...['--library-path', libraries, join(prefix, 'bin/qemu-system-x86_64')],
    ...firmware.flatMap((each) => ['-L', join(prefix, each)]),
    ...['-machine', 'q35', '-accel', 'tcg', '-cpu', 'max'],
    ...['-smp', String(shape.processors ?? 1), '-m', String(shape.memoryMiB)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-rtc', 'base=utc'],
    ...['-serial', `file:${join(folder, 'console.log')}`],
    ...['-chardev', 'stdio,id=job,signal=off', '-serial', 'chardev:job'],
    ...['-qmp', `unix:${join(folder, 'qmp')},server=on,wait=off`],
    ...withDisks,
    ...shape.devices.flatMap((device) => ['-device', device]),
    ...['-kernel', join(kernel.folder, 'vmlinuz'), '-initrd', join(folder, 'initrd')],
    ...['-append', [...everyGuest, ...shape.cmdline].join(' ')],
  ];
}
