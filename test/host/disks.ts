// A disk below the target of the tests of uses, and what can be stacked on it.
import { link, type Tree } from './machine.ts';
import { place, target } from './using.ts';

/** Where the class of block devices is. */
export const block = 'sys/class/block';
/** Where functions are in the device tree. */
export const host = 'sys/devices/pci0000:00';

/** A disk below the target with a partition, as the class folder and the device tree have it. */
export const disk: Tree = {
  [`${host}/${target}/block/sda`]: {
    dev: '8:0\n',
    holders: {},
    sda1: { dev: '8:1\n', partition: '1\n', holders: {} },
  },
  [`${block}/sda`]: link(`${place}/block/sda`),
  [`${block}/sda1`]: link(`${place}/block/sda/sda1`),
};

/** A virtual block device. */
export function stacked(name: string, files: Tree): Tree {
  return {
    [`sys/devices/virtual/block/${name}`]: { holders: {}, ...files },
    [`${block}/${name}`]: link(`../../devices/virtual/block/${name}`),
  };
}

/** The partition is held by these devices. */
export function heldBy(...names: readonly string[]): Tree {
  return {
    [`${host}/${target}/block/sda/sda1/holders`]: Object.fromEntries(
      names.map((name) => [name, link('../x')]),
    ),
  };
}

/** Files of a device-mapper device. */
export const dm = (name: string, uuid: string): Tree => ({
  dev: '254:0\n',
  dm: { name: `${name}\n`, uuid: `${uuid}\n` },
});
/** A line of mountinfo. */
export function mount(devno: string, at: string, source: string, type = 'ext4'): string {
  return mountOf({ devno, at, source, type, root: '/' });
}

/** A line of mountinfo that shows a part of a file system. */
export function mountOf(line: {
  readonly devno: string;
  readonly at: string;
  readonly source: string;
  readonly type: string;
  readonly root: string;
}): string {
  const { devno, at, source, type, root } = line;
  return `30 1 ${devno} ${root} ${at} rw,relatime shared:1 master:2 - ${type} ${source} rw,errors=remount-ro\n`;
}
