// What hangs below a device, from its form: interfaces, disks with their numbers, USB. Numbers that a file
// leaves out are given in the order of the file, so that one file always means one machine.
import type { PciAddress } from '../../pci/address.ts';
import * as defaults from './topology-defaults.ts';
import type { BlockSpec, ChildrenSpec, NetSpec, UsbSpec } from './spec.ts';
import type { BlockForm, ChildForm, NetForm } from './topology-form.ts';
import { isOn } from './topology-scalars.ts';

/** Numbers that have been given so far. */
export interface Numbering {
  /** The device number of a block name: the given one, or the next. */
  devno(name: string, given: string | undefined): string;
  /** Device numbers by block name: mounts look theirs up. */
  readonly numbered: Map<string, string>;
  net(form: NetForm, mac: string): NetSpec;
  /** First index for MAC addresses of this device. */
  readonly macBase: number;
}

/** No number given yet. */
export function newNumbering(): Numbering {
  const numbered = new Map<string, string>();
  let extended = 0;
  return {
    numbered,
    macBase: 0,
    devno: (name, given) => {
      const devno = given ?? defaults.devnoOf(name, () => extended++);
      numbered.set(name, devno);
      return devno;
    },
    net: netOf,
  };
}

function netOf(form: NetForm, mac: string): NetSpec {
  const up = isOn(form.up, false);
  return {
    name: form.name,
    mac: form.mac ?? mac,
    up,
    carrier: isOn(form.carrier, up),
    addresses: form.addresses ?? [],
    master: form.master ?? null,
    uppers: form.uppers ?? [],
    namespace: form.namespace ?? null,
  };
}

function blockOf(
  form: Omit<BlockForm, 'partitions'>,
  sectors: number,
  numbering: Numbering,
): BlockSpec {
  return {
    name: form.name,
    sectors: form.sectors ?? sectors,
    devno: numbering.devno(form.name, form.devno),
    partitions: [],
    contents: form.contents ?? null,
    holders: form.holders ?? [],
  };
}

function diskOf(form: BlockForm, numbering: Numbering): BlockSpec {
  const disk = blockOf(form, defaults.defaultSectors, numbering);
  const share = Math.floor(disk.sectors / ((form.partitions?.length ?? 0) + 1));
  const partitions = (form.partitions ?? []).map((part) => blockOf(part, share, numbering));
  return { ...disk, partitions };
}

function usbOf(
  form: NonNullable<ChildForm['usb']>[number],
  address: PciAddress,
  numbering: Numbering,
): UsbSpec {
  return {
    name: form.name,
    product: form.product ?? 'USB device',
    interfaces: form.interfaces ?? [],
    block: (form.block ?? []).map((block) => diskOf(block, numbering)),
    net: (form.net ?? []).map((net, index) => netOf(net, defaults.defaultMac(address, 64 + index))),
    serial: form.serial ?? [],
    input: form.input ?? [],
  };
}

/** Children that are told by their names alone. */
function namedChildren(form: ChildForm) {
  const none = defaults.noChildren;
  return {
    nvme: form.nvme ?? null,
    nvmeSubsystem: form.nvmeSubsystem ?? null,
    virtio: form.virtio ?? null,
    drm: form.drm ?? none.drm,
    connectors: form.connectors ?? none.connectors,
    framebuffer: form.framebuffer ?? null,
    infiniband: form.infiniband ?? none.infiniband,
    watchdog: form.watchdog ?? null,
    tpm: form.tpm ?? null,
    mdev: form.mdev ?? none.mdev,
    vdpa: form.vdpa ?? none.vdpa,
    other: form.other ?? none.other,
  };
}

/** The children of a device or VF at `address`. */
export function childrenOf(
  form: ChildForm,
  address: PciAddress,
  numbering: Numbering,
): ChildrenSpec {
  const { sound } = form;
  return {
    ...namedChildren(form),
    net: (form.net ?? []).map((net, index) =>
      netOf(net, defaults.defaultMac(address, numbering.macBase + index)),
    ),
    block: (form.block ?? []).map((block) => diskOf(block, numbering)),
    sound: sound === undefined ? null : { card: sound.card, open: sound.open ?? [] },
    usb: (form.usb ?? []).map((usb) => usbOf(usb, address, numbering)),
    serial: (form.serial ?? []).map((port) => ({ ...port, console: isOn(port.console, false) })),
    dma: (form.dma ?? []).map((channel) => ({ ...channel, inUse: isOn(channel.inUse, false) })),
  };
}
