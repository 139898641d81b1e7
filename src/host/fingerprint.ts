// What a poll reads: cheap listings that are different when something on the machine may have changed, each with the
// function it belongs to where that can be told. Only reads that are made in process: a poll must not keep lanes alive.
import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { FolderLink, KernelFs, Outcome } from '../kernel/fs.ts';
import { isPciAddress, type PciAddress } from '../pci/address.ts';
import { type Fingerprint, functionsOnPath } from '../pci/changes.ts';
import { devicesFolder } from './function-reader.ts';
import { groupsFolder } from './group-reader.ts';
import { Pacer } from './reading.ts';

const unitsFolder = '/sys/class/iommu';

/** Folders of devices: long, changed by nothing that does not send a uevent, and each name leads to a function or to none. */
const vfioClass = '/sys/class/vfio-dev';
const classFolders = [
  ...['/sys/class/net', '/sys/class/block', '/sys/class/drm', '/sys/class/sound'],
  ...['/sys/class/infiniband', '/sys/class/uio', '/sys/bus/usb/devices', vfioClass],
];

/** Folders that change without a uevent: file systems in use. */
const quietFolders = ['/sys/fs/ext4', '/sys/fs/xfs', '/sys/fs/btrfs', '/sys/fs/f2fs'];

const groupFiles = '/dev/vfio';
const deviceFiles = '/dev/vfio/devices';

/** Tables of the network that change when an interface gets an address or a route; none of them counts packets. */
const addressTables = ['/proc/1/net/route', '/proc/1/net/if_inet6', '/proc/1/net/fib_trie'];

const driversFolder = '/sys/bus/pci/drivers';

/** Number of the last uevent, in whatever namespace it was sent (kernel/ksysfs.c uevent_seqnum_show). */
const eventNumberFile = '/sys/kernel/uevent_seqnum';

/** Devices are listed at least every so many polls, whatever the number of uevents says. */
const pollsUnlisted = 30;

/** What the device folders said. */
interface DeviceListing {
  readonly functions: ReadonlyMap<PciAddress, string>;
  readonly groups: ReadonlySet<number>;
  readonly rest: string;
  /** Digest of all the answers that this was made from. */
  readonly raw: string;
  /** Functions that VFIO has, by the name of their device. */
  readonly vfio: ReadonlyMap<string, PciAddress>;
}

type Names = Outcome<readonly string[]>;
type Links = Outcome<readonly FolderLink[]>;

/** Listings as they are put together, in an order that does not depend on when they were answered. */
class Listings {
  readonly functions = new Map<PciAddress, string>();
  readonly #rest = createHash('sha1');

  /** What belongs to no function, as a digest; once. */
  digest(): string {
    return this.#rest.digest('base64');
  }

  of(address: PciAddress, text: string): void {
    this.functions.set(address, `${this.functions.get(address) ?? ''}${text}\n`);
  }

  ofNone(text: string): void {
    this.#rest.update(`${text}\n`);
  }

  /** Names of a folder: `mine` has those that belong to a function. A failed listing is news too. */
  names(folder: string, names: Names, mine: (name: string) => PciAddress | null): void {
    this.ofNone(names.kind === 'value' ? folder : `${folder} ${names.kind}`);
    for (const name of names.kind === 'value' ? names.value : []) {
      const address = mine(name);
      if (address === null) this.ofNone(`${folder}/${name}`);
      else this.of(address, `${folder}/${name}`);
    }
  }

  /** Devices of a class by the functions on their places. Returns the function that each hangs on. */
  links(folder: string, links: Links): ReadonlyMap<string, PciAddress> {
    const found = new Map<string, PciAddress>();
    this.ofNone(links.kind === 'value' ? folder : `${folder} ${links.kind}`);
    for (const { name, link } of links.kind === 'value' ? links.value : []) {
      const text = `${folder}/${name} ${link.kind === 'value' ? link.value : link.errno}`;
      const functions = link.kind === 'value' ? functionsOnPath(link.value) : [];
      if (functions.length === 0) this.ofNone(text);
      for (const address of functions) this.of(address, text);
      const last = functions.at(-1);
      if (last !== undefined) found.set(name, last);
    }
    return found;
  }
}

const nobodys = (): null => null;

/**
 * Fingerprints of one machine. A listing of thousands of devices is repeated only when a uevent was sent since: every
 * device that comes or goes and every bind sends one (lib/kobject_uevent.c counts them all, also those nobody hears).
 */
export class Fingerprints {
  readonly #kernel: KernelFs;
  readonly #clock: Clock;
  #devices: DeviceListing | null = null;
  /** Event numbers of the last two polls, newest first. */
  #numbers: readonly (string | null)[] = [null, null];
  #unlisted = 0;
  #running: Promise<unknown> = Promise.resolve();

  constructor(kernel: KernelFs, clock: Clock) {
    this.#kernel = kernel;
    this.#clock = clock;
  }

  /** What the machine looks like now. */
  take(): Promise<Fingerprint> {
    // One after the other: a poll and a survey may ask at the same time.
    const taken = this.#running.then(() => this.#take());
    this.#running = taken.catch(() => undefined);
    return taken;
  }

  async #take(): Promise<Fingerprint> {
    const kernel = this.#kernel;
    const devices = await this.#listDevices();
    const [enables, marks, tables, groups, files] = await Promise.all([
      Promise.all(devices.vfio.values().map((address) => this.#readEnable(address))),
      Promise.all(quietFolders.map((folder) => kernel.list(folder))),
      Promise.all(addressTables.map((table) => kernel.read(table))),
      kernel.list(groupFiles),
      kernel.list(deviceFiles),
    ]);
    const quiet = new Listings();
    for (const [address, text] of enables) quiet.of(address, text);
    for (const [at, folder] of quietFolders.entries()) {
      quiet.names(folder, marks[at] ?? absent, nobodys);
    }
    for (const text of tables) quiet.ofNone(textOf(text));
    const numbers = new Set<number>();
    quiet.names(groupFiles, withoutNumbers(groups, numbers), nobodys);
    quiet.names(deviceFiles, files, (name) => devices.vfio.get(name) ?? null);
    return {
      parts: [devices.functions, quiet.functions],
      groups: [devices.groups, numbers],
      rest: `${devices.rest} ${quiet.digest()}`,
    };
  }

  async #listDevices(): Promise<DeviceListing> {
    // Read before the listing: what changes during it has a number that the next poll does not know.
    const number = await this.eventNumber();
    // The uevent of a removal is sent shortly before the folder goes: once equal is not enough.
    const quiet = number !== null && this.#numbers.every((earlier) => earlier === number);
    this.#numbers = [number, ...this.#numbers.slice(0, 1)];
    if (quiet && this.#devices !== null && this.#unlisted < pollsUnlisted) {
      this.#unlisted += 1;
      return this.#devices;
    }
    this.#unlisted = 0;
    this.#devices = await this.#readDevices();
    return this.#devices;
  }

  /** The number of the last uevent; null where it cannot be read. Equal ones: no device came, went or was bound between. */
  async eventNumber(): Promise<string | null> {
    const text = await this.#kernel.read(eventNumberFile);
    return text.kind === 'value' ? textOf(text) : null;
  }

  async #readDevices(): Promise<DeviceListing> {
    const pacer = new Pacer(this.#clock);
    const list = async (folder: string): Promise<Names> => {
      if (pacer.due) await pacer.breathe();
      return this.#kernel.list(folder);
    };
    const follow = async (folder: string): Promise<Links> => {
      if (pacer.due) await pacer.breathe();
      return this.#kernel.readLinks(folder);
    };
    const drivers = await list(driversFolder);
    const driverNames = drivers.kind === 'value' ? drivers.value : [];
    const [devices, groups, units, ofDrivers, ofClasses] = await Promise.all([
      list(devicesFolder),
      list(groupsFolder),
      list(unitsFolder),
      Promise.all(driverNames.map((name) => list(`${driversFolder}/${name}`))),
      Promise.all(classFolders.map(follow)),
    ]);
    const answers = JSON.stringify([drivers, devices, groups, units, ofDrivers, ofClasses]);
    const raw = createHash('sha1').update(answers).digest('base64');
    if (raw === this.#devices?.raw) return this.#devices;
    const listings = new Listings();
    listings.names(driversFolder, drivers, nobodys);
    listings.names(devicesFolder, devices, addressOf);
    const numbers = new Set<number>();
    listings.names(groupsFolder, withoutNumbers(groups, numbers), nobodys);
    listings.names(unitsFolder, units, nobodys);
    // A driver's folder has one link for each device it is bound to: which is how a change of driver shows.
    for (const [at, name] of driverNames.entries())
      listings.names(`${driversFolder}/${name}`, ofDrivers[at] ?? absent, addressOf);
    let vfio: ReadonlyMap<string, PciAddress> = new Map();
    for (const [at, folder] of classFolders.entries()) {
      const found = listings.links(folder, ofClasses[at] ?? absent);
      if (folder === vfioClass) vfio = found;
    }
    return { functions: listings.functions, groups: numbers, rest: listings.digest(), vfio, raw };
  }

  /** `enable` of a VFIO device: 0 nobody, 1 or more someone has it open. How the end of a user shows. */
  async #readEnable(address: PciAddress): Promise<readonly [PciAddress, string]> {
    return [address, textOf(await this.#kernel.read(`${devicesFolder}/${address}/enable`))];
  }
}

const absent = { kind: 'errno', errno: 'ENOENT' } as const;

function addressOf(name: string): PciAddress | null {
  return isPciAddress(name) ? name : null;
}

function textOf(outcome: Outcome<Uint8Array>): string {
  return outcome.kind === 'value' ? Buffer.from(outcome.value).toString('latin1') : outcome.kind;
}

/** Names that are not of a group; the groups' numbers go to `numbers`. */
function withoutNumbers(names: Names, numbers: Set<number>): Names {
  if (names.kind !== 'value') return names;
  const others = names.value.filter((name) => {
    const number = /^(?:noiommu-)?(\d+)$/.exec(name)?.[1];
    if (number !== undefined) numbers.add(Number(number));
    return number === undefined;
  });
  return { kind: 'value', value: others };
}
