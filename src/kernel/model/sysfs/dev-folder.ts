// /dev: nodes of VFIO and iommufd, of child devices, and the few that are always there.
import { vfioDriverNames } from '../drivers/catalogue.ts';
import type { Machine } from '../machine.ts';
import { deviceNode, listing } from '../tree.ts';
import type { VDir } from '../vfs.ts';

/** /dev/vfio: newest first, as a tmpfs lists. */
function devVfioFolder(machine: Machine): VDir {
  const names = (): string[] => machine.vfioGroups.map((group) => group.name).reverse();
  const devices = (): string[] =>
    [...machine.children.nodes()]
      .filter((name) => name.startsWith('vfio/devices/'))
      .map((name) => name.slice(13));
  return listing(
    () => [...(devices().length > 0 ? ['devices'] : []), ...names(), 'vfio'],
    (name) => {
      if (name === 'vfio') return deviceNode(0o666, 'vfio-container');
      if (names().includes(name)) return deviceNode(0o600, `vfio-group:${name}`);
      if (name !== 'devices' || devices().length === 0) return null;
      return listing(devices, (wanted) =>
        devices().includes(wanted) ? deviceNode(0o600, `vfio-device:${wanted}`) : null,
      );
    },
  );
}

const fixedNodes = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'console', 'kmsg'] as const;

/** /dev. */
export function devFolder(machine: Machine): VDir {
  const other = deviceNode(0o660, 'other');
  const below = (prefix: string): VDir =>
    listing(
      () => [
        ...new Set(
          [...machine.children.nodes()]
            .filter((name) => name.startsWith(prefix) && !name.startsWith('vfio/'))
            .map((name) => name.slice(prefix.length).split('/')[0] as string),
        ),
      ],
      (name) => {
        const path = `${prefix}${name}`;
        if (machine.children.node(path) !== undefined) return other;
        const inner = below(`${path}/`);
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
