// What hangs below each function, for an export: every class that a close look asks for, read once and handed out by
// the function it is on.
import type { ChildrenSpec } from '../../kernel/model/spec-children.ts';
import { noChildren } from '../../kernel/model/topology-defaults.ts';
import type { PciAddress } from '../../pci/address.ts';
import type { PciFunction } from '../../pci/function.ts';
import type { ExportedBlocks } from './blocks.ts';
import type { ExportedNets } from './nets.ts';
import type { ExportReader, Placed } from './reader.ts';
import { readUsb, usbOf } from './usb.ts';

/** Gives the children of one function. */
export type ChildrenOf = (fn: PciFunction) => Promise<ChildrenSpec>;

/** Classes and buses of which the names alone are told. */
const folders = {
  nvme: '/sys/class/nvme',
  drm: '/sys/class/drm',
  graphics: '/sys/class/graphics',
  sound: '/sys/class/sound',
  tty: '/sys/class/tty',
  infiniband: '/sys/class/infiniband',
  watchdog: '/sys/class/watchdog',
  tpm: '/sys/class/tpm',
  dma: '/sys/class/dma',
  input: '/sys/class/input',
  ipmi: '/sys/class/ipmi',
  uio: '/sys/class/uio',
  mdev: '/sys/bus/mdev/devices',
  vdpa: '/sys/bus/vdpa/devices',
} as const;

type Classes = Readonly<Record<keyof typeof folders, readonly Placed[]>>;

async function readClasses(reader: ExportReader): Promise<Classes> {
  const found: Partial<Record<keyof typeof folders, readonly Placed[]>> = {};
  for (const [name, folder] of Object.entries(folders) as [keyof typeof folders, string][])
    found[name] = await reader.placed(folder);
  return found as Classes;
}

/** Reads all classes; what comes back answers for single functions. */
export async function readChildren(
  reader: ExportReader,
  nets: ExportedNets,
  blocks: ExportedBlocks,
): Promise<ChildrenOf> {
  const classes = await readClasses(reader);
  const usb = await readUsb(reader, {
    nets: nets.physical,
    disks: blocks.disks,
    ttys: classes.tty,
    inputs: classes.input.filter(({ name }) => /^input\d+$/.test(name)),
  });
  return async (fn) => {
    const { address } = fn;
    const own = namesOn(classes, address);
    const direct = ({ owner, place }: { owner: PciAddress | null; place: string }): boolean =>
      owner === address && usbOf(place) === null;
    const moved = nets.moved.get(address);
    return {
      ...noChildren,
      net: [
        ...nets.physical.filter(({ at }) => direct(at)).map(({ net }) => net),
        ...(moved === undefined ? [] : [moved]),
      ],
      block: blocks.disks.filter(direct).map(({ disk }) => disk),
      nvmeSubsystem: blocks.subsystems.get(address) ?? null,
      virtio: [...fn.entries].find((name) => /^virtio\d+$/.test(name)) ?? null,
      usb: usb.get(address) ?? [],
      ...(await displayOf(reader, own)),
      ...(await nodesOf(reader, own, fn)),
    };
  };
}

function namesOn(classes: Classes, address: PciAddress): Classes {
  const entries = Object.entries(classes).map(([name, placed]) => [
    name,
    placed.filter(({ owner, place }) => owner === address && usbOf(place) === null),
  ]);
  return Object.fromEntries(entries) as Classes;
}

type Display = Pick<ChildrenSpec, 'drm' | 'connectors' | 'framebuffer' | 'sound'>;

async function displayOf(reader: ExportReader, own: Classes): Promise<Display> {
  const connectors: Record<string, string> = {};
  for (const { name, path } of own.drm) {
    if (!/^card\d+-/.test(name)) continue;
    const status = await reader.text(`${path}/status`);
    connectors[name] = status === 'connected' || status === 'disconnected' ? status : 'unknown';
  }
  return {
    drm: own.drm
      .map(({ name }) => name)
      .filter((name) => /^(?:card|renderD|controlD)\d+$/.test(name)),
    connectors,
    framebuffer: own.graphics.find(({ name }) => /^fb\d+$/.test(name))?.name ?? null,
    sound: await soundOf(reader, own.sound),
  };
}

async function soundOf(
  reader: ExportReader,
  sound: readonly Placed[],
): Promise<ChildrenSpec['sound']> {
  const card = sound.find(({ name }) => /^card\d+$/.test(name))?.name;
  if (card === undefined) return null;
  const open: string[] = [];
  const folder = `/proc/asound/${card}`;
  for (const stream of await reader.names(folder)) {
    if (!/^pcm\d+[pc]$/.test(stream)) continue;
    for (const part of await reader.names(`${folder}/${stream}`)) {
      if (!part.startsWith('sub')) continue;
      const status = await reader.text(`${folder}/${stream}/${part}/status`);
      if (status !== null && status !== 'closed' && !open.includes(stream)) open.push(stream);
    }
  }
  return { card: Number(card.slice('card'.length)), open };
}

type Nodes = Pick<
  ChildrenSpec,
  'nvme' | 'serial' | 'infiniband' | 'watchdog' | 'tpm' | 'dma' | 'mdev' | 'vdpa' | 'other'
>;

/** Drivers that make their uio device themselves, in the simulated kernel as well. */
const uioDrivers: readonly (string | null)[] = ['uio_pci_generic', 'igb_uio'];

async function nodesOf(reader: ExportReader, own: Classes, fn: PciFunction): Promise<Nodes> {
  const names = (placed: readonly Placed[]): readonly string[] => placed.map(({ name }) => name);
  const serial = [];
  for (const { name, path } of own.tty)
    serial.push({ name, console: (await reader.text(`${path}/console`)) === 'Y' });
  const dma = [];
  for (const { name, path } of own.dma)
    dma.push({ name, inUse: ((await reader.text(`${path}/in_use`)) ?? '0') !== '0' });
  const [watchdog] = own.watchdog;
  const state = watchdog === undefined ? null : await reader.text(`${watchdog.path}/state`);
  const uio = fn.driver.known && uioDrivers.includes(fn.driver.value) ? [] : names(own.uio);
  return {
    nvme: own.nvme[0]?.name ?? null,
    serial,
    infiniband: names(own.infiniband),
    // A watchdog that does not tell may be running.
    watchdog:
      watchdog === undefined
        ? null
        : { name: watchdog.name, state: state === 'inactive' ? 'inactive' : 'active' },
    tpm: own.tpm[0]?.name ?? null,
    dma,
    mdev: names(own.mdev),
    vdpa: names(own.vdpa),
    other: {
      ...(own.ipmi.length === 0 ? {} : { ipmi: names(own.ipmi) }),
      ...(uio.length === 0 ? {} : { uio }),
    },
  };
}
