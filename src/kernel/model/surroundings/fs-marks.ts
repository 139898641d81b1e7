// /sys/fs/TYPE: a folder for each mounted file system, whatever the mount namespace. They stay while the
// mount stays, also when the device is gone.
import type { Machine } from '../machine.ts';
import { dir, listing } from '../tree.ts';
import type { VDir, VNode } from '../vfs.ts';
import { attribute, attributes, linkTo } from './files.ts';
import { isBlockName } from './block-names.ts';

/** Entries beside the devices' folders. */
const fixedEntries: Readonly<Record<string, readonly string[]>> = {
  ext4: ['features'],
  xfs: ['stats'],
  f2fs: ['features'],
  btrfs: ['features'],
};

/** File systems of one type, by their device: each once, however often mounted. */
function sourcesOf(machine: Machine, fsType: string): readonly string[] {
  const sources = machine.host.mounts
    .filter((mount) => mount.fsType === fsType && isBlockName(machine, mount.source))
    .map((mount) => mount.source);
  return [...new Set(sources)];
}

function folders(machine: Machine, fsType: string, node: (source: string) => VNode): VDir {
  const fixed = fixedEntries[fsType] ?? [];
  return listing(
    () => [...sourcesOf(machine, fsType), ...fixed],
    (name) => {
      if (fixed.includes(name)) return dir({});
      return sourcesOf(machine, fsType).includes(name) ? node(name) : null;
    },
  );
}

/** A file system id that depends on the device's name alone. */
function fsidOf(source: string): string {
  let h = 0x9e3779b9;
  for (const char of source) h = Math.imul(h ^ char.charCodeAt(0), 0x85ebca6b) >>> 0;
  const digits = Array.from({ length: 4 }, (_, i) =>
    (Math.imul(h, i + 3) >>> 0).toString(16).padStart(8, '0'),
  ).join('');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`;
}

/** btrfs: folders are named by file system id; `devices` links to the block devices. */
function btrfs(machine: Machine): VDir {
  const byId = (): Map<string, string> =>
    new Map(sourcesOf(machine, 'btrfs').map((source) => [fsidOf(source), source]));
  return listing(
    () => [...byId().keys(), 'features'],
    (name) => {
      if (name === 'features') return dir({});
      const source = byId().get(name);
      if (source === undefined) return null;
      const child = machine.children.get('block', source);
      const here = `/sys/fs/btrfs/${name}/devices`;
      const link = (): VNode | null => (child === undefined ? null : linkTo(here, child.path));
      return dir({ devices: dir({ [source]: link }), label: attribute(() => '') });
    },
  );
}

/** The folders of /sys/fs. Types are listed whether or not something is mounted, as loaded file systems are. */
export function fileSystemMarks(machine: Machine): Readonly<Record<string, VDir>> {
  const counters = attributes({ session_write_kbytes: 0, lifetime_write_kbytes: 0 });
  return {
    ext4: folders(machine, 'ext4', () => dir(counters)),
    xfs: folders(machine, 'xfs', () => dir({ error: dir({}), log: dir({}), stats: dir({}) })),
    f2fs: folders(machine, 'f2fs', () => dir(attributes({ dirty_segments: 0 }))),
    btrfs: btrfs(machine),
  };
}
