// Children beyond interfaces and NVMe: disks of other controllers, displays, sound, USB, and single nodes.
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import type { DriverCall } from '../objects/driver.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { addChild, removeChild } from '../operations/children.ts';
import type { ChildrenSpec } from '../spec.ts';
import { addDisk, removeDisk } from './disk.ts';
import { addUsb } from './usb.ts';

type Parent = PciDevice | ChildDevice;

interface Making {
  readonly machine: Machine;
  readonly parent: Parent;
  readonly quiet: boolean;
  readonly children: ChildrenSpec;
}

/** The SCSI devices between a host adapter and a disk. */
function scsiParent({ machine, parent, quiet }: Making, ata: boolean): ChildDevice {
  const bus = { bus: true } as const;
  const port = ata
    ? addChild(
        machine,
        { name: `ata${machine.ids('ata').take() + 1}`, subsystem: 'ata', parent, ...bus },
        true,
      )
    : parent;
  const host = machine.ids('scsi-host').take();
  const hostDevice = addChild(
    machine,
    { name: `host${host}`, subsystem: 'scsi', parent: port, devtype: 'scsi_host', ...bus },
    quiet,
  );
  const target = addChild(
    machine,
    {
      name: `target${host}:0:0`,
      subsystem: 'scsi',
      parent: hostDevice,
      devtype: 'scsi_target',
      ...bus,
    },
    quiet,
  );
  const unit = { name: `${host}:0:0:0`, subsystem: 'scsi', devtype: 'scsi_device', driver: 'sd' };
  return addChild(machine, { ...unit, parent: target, ...bus }, quiet);
}

function addDisks(making: Making, ata: boolean): void {
  for (const block of making.children.block) {
    const parent = block.name.startsWith('sd') ? scsiParent(making, ata) : making.parent;
    addDisk(making.machine, parent, block, { quiet: making.quiet });
  }
}

function addDisplay({ machine, parent, quiet, children }: Making): void {
  const cards = new Map<string, ChildDevice>();
  for (const name of children.drm) {
    const card = { name, subsystem: 'drm', parent, devname: `dri/${name}`, devtype: 'drm_minor' };
    cards.set(name, addChild(machine, card, quiet));
  }
  for (const [name, status] of Object.entries(children.connectors)) {
    const card = cards.get(name.slice(0, name.indexOf('-'))) ?? parent;
    addChild(
      machine,
      { name, subsystem: 'drm', parent: card, facts: { kind: 'connector', status } },
      quiet,
    );
  }
  if (children.framebuffer === null) return;
  const name = children.framebuffer;
  addChild(machine, { name, subsystem: 'graphics', parent, devname: name }, quiet);
}

function addSound({ machine, parent, quiet, children }: Making): void {
  if (children.sound === null) return;
  const { card, open } = children.sound;
  const facts = { kind: 'sound', card, open } as const;
  const sound = addChild(
    machine,
    { name: `card${card}`, subsystem: 'sound', parent, facts },
    quiet,
  );
  const nodes = ['pcmC?D0p', 'pcmC?D0c', 'controlC?'].map((name) =>
    name.replace('?', String(card)),
  );
  for (const name of nodes) {
    addChild(machine, { name, subsystem: 'sound', parent: sound, devname: `snd/${name}` }, quiet);
  }
}

/** Classes in `other` that belong to the bridge itself. */
const madeElsewhere: ReadonlySet<string> = new Set([
  'driver-slots',
  'pci_bus',
  'pci_express',
  'slots',
  'wakeup',
]);

/** Children that are one node each. */
function addNodes({ machine, parent, quiet, children }: Making): void {
  for (const { name, console } of children.serial) {
    addChild(
      machine,
      { name, subsystem: 'tty', parent, devname: name, facts: { kind: 'serial', console } },
      quiet,
    );
  }
  children.infiniband.forEach((name, i) => {
    addChild(machine, { name, subsystem: 'infiniband', parent }, quiet);
    const verbs = `uverbs${machine.ids('uverbs').take()}`;
    addChild(
      machine,
      {
        name: verbs,
        subsystem: 'infiniband_verbs',
        parent,
        devname: `infiniband/${verbs}`,
        attributes: { ibdev: children.infiniband[i] ?? '' },
      },
      quiet,
    );
  });
  if (children.watchdog !== null) {
    const { name, state } = children.watchdog;
    addChild(
      machine,
      { name, subsystem: 'watchdog', parent, devname: name, facts: { kind: 'watchdog', state } },
      quiet,
    );
  }
  if (children.tpm !== null) {
    addChild(
      machine,
      { name: children.tpm, subsystem: 'tpm', parent, devname: children.tpm },
      quiet,
    );
  }
  for (const { name, inUse } of children.dma) {
    addChild(machine, { name, subsystem: 'dma', parent, facts: { kind: 'dma', inUse } }, quiet);
  }
  for (const name of children.mdev)
    addChild(machine, { name, subsystem: 'mdev', parent, bus: true }, quiet);
  for (const name of children.vdpa)
    addChild(machine, { name, subsystem: 'vdpa', parent, bus: true }, quiet);
  for (const [subsystem, names] of Object.entries(children.other)) {
    if (madeElsewhere.has(subsystem)) continue;
    for (const name of names) {
      const bus = subsystem === 'i2c' || subsystem === 'platform';
      addChild(machine, { name, subsystem, parent, bus }, quiet);
    }
  }
}

/** Makes what a function has beyond interfaces and NVMe. */
export function startOthers(call: DriverCall, parent: Parent = call.device): void {
  const { machine, device } = call;
  const { children } = device.spec;
  const making: Making = { machine, parent, quiet: machine.booting, children };
  if (children.nvme === null) addDisks(making, call.driver.name === 'ahci');
  addDisplay(making);
  addSound(making);
  addUsb(machine, parent, children.usb, making.quiet);
  addNodes(making);
}

/** Disks below a child or function, at any depth. */
function disksBelow(parent: Parent): ChildDevice[] {
  return parent.children.flatMap((child) =>
    child.subsystem === 'block' ? [child] : child.subsystem === 'nvme' ? [] : disksBelow(child),
  );
}

/** Children that their own code takes away. */
const keptByOthers: ReadonlySet<string> = new Set(['net', 'nvme', 'pci_bus', 'wakeup']);

/** Takes them away, the last made first. */
export function stopOthers(call: DriverCall): void {
  const { machine, device } = call;
  for (const disk of disksBelow(device)) removeDisk(machine, disk);
  for (const child of [...device.children].reverse()) {
    if (keptByOthers.has(child.subsystem)) continue;
    giveNumbers(machine, child);
    removeChild(machine, child);
  }
}

/** Names that count up are free again. */
function giveNumbers(machine: Machine, child: ChildDevice): void {
  for (const below of child.children) giveNumbers(machine, below);
  const match = /^(ata|host|uverbs|ptp)(\d+)$/.exec(child.name);
  if (match === null) return;
  const [, kind = '', number = '0'] = match;
  if (kind === 'ata') machine.ids('ata').give(Number(number) - 1);
  else machine.ids(kind === 'host' ? 'scsi-host' : kind).give(Number(number));
}
