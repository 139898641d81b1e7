// /dev: nodes of VFIO and iommufd, of child devices, and the few that are always there.
import { vfioDriverNames } from '../drivers/catalogue.ts';
import type { Machine } from '../machine.ts';
import { deviceNode, listing } from '../tree.ts';
import type { VDir } from '../vfs.ts';

/** Names that a tmpfs lists: newest first. */
const newestFirst = (names: readonly string[]): string[] => [...names].reverse();

/** /dev/vfio/devices, while there are device files. */
function deviceFilesFolder(machine: Machine): VDir {
  return listing(
    () => newestFirst(machine.children.namesIn('vfio/devices')),
    (name) =>
      machine.children.node(`vfio/devices/${name}`) === undefined
        ? null
        : deviceNode(0o600, `vfio-device:${name}`),
  );
}

/** /dev/vfio. */
function devVfioFolder(machine: Machine): VDir {
  const { children } = machine;
  return listing(
    () => [...newestFirst(children.namesIn('vfio')), 'vfio'],
    (name) => {
      if (name === 'vfio') return deviceNode(0o666, 'vfio-container');
      if (!children.namesIn('vfio').includes(name)) return null;
      return name === 'devices'
        ? deviceFilesFolder(machine)
        : deviceNode(0o600, `vfio-group:${name}`);
    },
  );
}

const fixedNodes = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'console', 'kmsg'] as const;

/** /dev. */
export function devFolder(machine: Machine): VDir {
  const other = deviceNode(0o660, 'other');
  const below = (folder: string): VDir =>
    listing(
      () => machine.children.namesIn(folder).filter((name) => folder !== '' || name !== 'vfio'),
      (name) => {
        const path = folder === '' ? name : `${folder}/${name}`;
        if (machine.children.node(path) !== undefined) return other;
        const inner = below(path);
        return inner.list().length > 0 ? inner : null;
      },
    );
  const made = below('');
  const hasVfio = (): boolean =>
    machine.modules.has('vfio') || vfioDriverNames.some((name) => machine.drivers.has(name));
  return listing(
    () => [
      ...fixedNodes,
      ...(hasVfio() ? ['vfio'] : []),
      ...(hasVfio() && machine.spec.cdev ? ['iommu'] : []),
      ...made.list(),
    ],
    (name) => {
      if (name === 'vfio') return hasVfio() ? devVfioFolder(machine) : null;
      if (name === 'iommu')
        return hasVfio() && machine.spec.cdev ? deviceNode(0o660, 'iommufd') : null;
      return (fixedNodes as readonly string[]).includes(name)
        ? deviceNode(0o666, 'other')
        : made.child(name);
    },
  );
}
