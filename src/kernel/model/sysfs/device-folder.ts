// The folder of a PCI function: attributes by table, links, children, and the functions below a bridge.
import type { PciAddress } from '../../../pci/address.ts';
import type { Machine } from '../machine.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { value } from '../operations/answers.ts';
import { dir, linkTo, listing, textFile } from '../tree.ts';
import type { VDir, VLink, VNode } from '../vfs.ts';
import { attributeFile, type DeviceAttribute } from './attribute.ts';
import { childrenOf, nodeAt } from './child-folder.ts';
import { controlAttributes, powerAttributes } from './control-attributes.ts';
import { identityAttributes } from './identity-attributes.ts';

const attributes: ReadonlyMap<string, DeviceAttribute> = new Map(
  Object.entries({ ...identityAttributes, ...controlAttributes }),
);

const linkNames = [
  'subsystem',
  'driver',
  'iommu_group',
  'iommu',
  'physfn',
  'firmware_node',
] as const;

function isVirtfn(name: string): boolean {
  return /^virtfn\d+$/.test(name);
}

/** Drivers that take message-signalled interrupts: the function has `msi_irqs` while they are bound. */
const messageInterruptDrivers: ReadonlySet<string> = new Set([
  ...[
    'nvme',
    'e1000e',
    'igb',
    'igbvf',
    'pcieport',
    'shpchp',
    'snd_hda_intel',
    'ahci',
    'virtio-pci',
    'xhci_hcd',
  ],
  ...['ixgbe', 'ixgbevf', 'i40e', 'ice', 'iavf', 'mlx5_core', 'nvidia', 'amdgpu', 'i915', 'xe'],
]);

/** Switch ports in the middle have no services and so no interrupts. */
function usesMessageInterrupts(device: PciDevice): boolean {
  if (device.driver === null || !device.driverLink) return false;
  if (device.driver.name === 'pcieport') return device.parent === null;
  return messageInterruptDrivers.has(device.driver.name);
}

/** Where functions of a machine that says nothing of its firmware point. */
const rootBridgeNode = '/devices/LNXSYSTM:00/LNXSYBUS:00/PNP0A08:00';

/** Where the links of a function lead that do not lead to functions; null: absent now. */
function linkPath(machine: Machine, device: PciDevice, name: string): string | null {
  switch (name) {
    case 'subsystem':
      return '/sys/bus/pci';
    case 'driver':
      return device.driver !== null && device.driverLink ? device.driver.path : null;
    case 'iommu_group':
      return device.group?.path ?? null;
    case 'iommu': {
      const unit =
        device.group?.hasDefaultDomain === true ? machine.spec.iommu.units[0] : undefined;
      return unit === undefined ? null : `/sys/devices/virtual/iommu/${unit}`;
    }
    case 'firmware_node':
      return device.hasFirmwareNode ? `/sys${device.firmwareNode ?? rootBridgeNode}` : null;
    default:
      return null;
  }
}

/** Folders of functions, made once per function. */
export class DeviceFolders {
  readonly #machine: Machine;
  readonly #folders = new WeakMap<PciDevice, VDir>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** The folder of a function. */
  of(device: PciDevice): VDir {
    let folder = this.#folders.get(device);
    if (folder === undefined) {
      folder = this.#make(device);
      this.#folders.set(device, folder);
    }
    return folder;
  }

  /** A link from the folder `from` to a function. */
  linkTo(from: string, device: PciDevice): VLink {
    return linkTo(from, device.path, () => this.of(device));
  }

  #make(device: PciDevice): VDir {
    const machine = this.#machine;
    const children = childrenOf(machine, device);
    const extras = device.spec.attributes;
    return listing(
      () => {
        const names: string[] = [];
        for (const [name, attribute] of attributes) {
          if (attribute.there?.(device, machine) !== false) names.push(name);
        }
        names.push(
          ...linkNames.filter((name) => this.#link(device, name) !== null),
          'power',
          'link',
        );
        if (device.spec.p2pmem !== null) names.push('p2pmem');
        if (usesMessageInterrupts(device)) names.push('msi_irqs');
        if (machine.profile.aerFolder) names.push('aer');
        for (const index of device.sriov?.vfs.keys() ?? []) names.push(`virtfn${index}`);
        names.push(...Object.keys(extras), ...children.list(), ...device.below.keys());
        for (const more of machine.surface.entriesOfDevice(device)) names.push(...more.list());
        return [...new Set(names)];
      },
      (name) => this.#child(device, name, children),
    );
  }

  #child(device: PciDevice, name: string, children: VDir): VNode | null {
    const extra = device.spec.attributes[name];
    const attribute = attributes.get(name);
    // What can be written starts from the machine's text; everything else is that text.
    if (extra !== undefined && attribute?.write === undefined) return textFile(() => `${extra}\n`);
    if (attribute !== undefined) {
      if (attribute.there?.(device, this.#machine) === false) return null;
      return attributeFile(attribute, device, this.#machine);
    }
    const below = device.below.get(name as PciAddress);
    if (below !== undefined) return this.of(below);
    return (
      this.#link(device, name) ??
      this.#folder(device, name) ??
      children.child(name) ??
      this.#more(device, name)
    );
  }

  #more(device: PciDevice, name: string): VNode | null {
    for (const more of this.#machine.surface.entriesOfDevice(device)) {
      const found = more.child(name);
      if (found !== null) return found;
    }
    return null;
  }

  #link(device: PciDevice, name: string): VLink | null {
    if (isVirtfn(name)) {
      const vf = device.sriov?.vfs.get(Number(name.slice('virtfn'.length)));
      return vf === undefined ? null : this.linkTo(device.path, vf);
    }
    if (name === 'physfn') {
      return device.physfn === null ? null : this.linkTo(device.path, device.physfn);
    }
    const path = linkPath(this.#machine, device, name);
    return path === null ? null : linkTo(device.path, path, () => nodeAt(this.#machine, path));
  }

  #folder(device: PciDevice, name: string): VDir | null {
    const machine = this.#machine;
    if (name === 'power') {
      return listing(
        () =>
          Object.keys(powerAttributes).filter(
            (key) => powerAttributes[key]?.there?.(device, machine) !== false,
          ),
        (key) => {
          const attribute = powerAttributes[key];
          return attribute === undefined ? null : attributeFile(attribute, device, machine);
        },
      );
    }
    if (name === 'link') return dir({});
    if (name === 'aer' && machine.profile.aerFolder) return dir({});
    if (name === 'msi_irqs' && usesMessageInterrupts(device)) return dir({});
    const { p2pmem } = device.spec;
    if (name !== 'p2pmem' || p2pmem === null) return null;
    return dir({
      size: textFile(() => `${p2pmem.size}\n`),
      available: textFile(() => `${p2pmem.available}\n`),
      published: { kind: 'file', mode: 0o444, read: () => value(p2pmem.published ? '1\n' : '0\n') },
    });
  }
}
