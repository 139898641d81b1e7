// A digest of cheap listings that differs when something on the machine may have changed. Only reads that are made
// in process: a poll must not keep lanes alive. Equal digests prove nothing; the caller also looks from time to time.
import { createHash, type Hash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { KernelFs } from '../kernel/fs.ts';
import { isPciAddress, type PciAddress } from '../pci/address.ts';
import { devicesFolder } from './function-reader.ts';
import { groupsFolder } from './group-reader.ts';
import { Pacer } from './reading.ts';

/** Folders of devices: long, and changed by nothing that does not send a uevent. */
const deviceFolders = [
  ...[devicesFolder, groupsFolder, '/sys/class/net', '/sys/class/block', '/sys/class/iommu'],
  ...['/sys/class/drm', '/sys/class/sound', '/sys/class/infiniband', '/sys/class/uio'],
  '/sys/bus/usb/devices',
];

/** Folders that change without a uevent: file systems in use, and device files of VFIO. */
const quietFolders = [
  ...['/sys/fs/ext4', '/sys/fs/xfs', '/sys/fs/btrfs', '/sys/fs/f2fs'],
  ...['/dev/vfio', '/dev/vfio/devices'],
];

/** Tables of the network that change when an interface gets an address or a route; none of them counts packets. */
const addressTables = ['/proc/1/net/route', '/proc/1/net/if_inet6', '/proc/1/net/fib_trie'];

const driversFolder = '/sys/bus/pci/drivers';
const vfioClass = '/sys/class/vfio-dev';

/** Number of the last uevent, in whatever namespace it was sent (kernel/ksysfs.c uevent_seqnum_show). */
const eventNumberFile = '/sys/kernel/uevent_seqnum';

/** Devices are listed at least every so many polls, whatever the number of uevents says. */
const pollsUnlisted = 10;

/** What the device folders said, and which functions VFIO has. */
interface DeviceListing {
  readonly digest: string;
  readonly vfio: readonly PciAddress[];
}

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

  /** The digest, as a short text. A failed listing is part of it: that a folder cannot be read any more is news. */
  take(): Promise<string> {
    // One after the other: a poll and a survey may ask at the same time.
    const taken = this.#running.then(() => this.#take());
    this.#running = taken.catch(() => undefined);
    return taken;
  }

  async #take(): Promise<string> {
    const hash = createHash('sha1');
    const devices = await this.#listDevices();
    hash.update(devices.digest);
    for (const address of devices.vfio) hash.update(await this.#readEnable(address));
    for (const folder of quietFolders) await this.#add(hash, folder);
    for (const table of addressTables) {
      const text = await this.#kernel.read(table);
      hash.update(text.kind === 'value' ? text.value : text.kind);
    }
    return hash.digest('base64');
  }

  async #listDevices(): Promise<DeviceListing> {
    // Read before the listing: what changes during it has a number that the next poll does not know.
    const number = await this.#eventNumber();
    // The uevent of a removal is sent shortly before the folder goes: once equal is not enough.
    const quiet = number !== null && this.#numbers.every((earlier) => earlier === number);
    this.#numbers = [number, ...this.#numbers.slice(0, 1)];
    if (quiet && this.#devices !== null && this.#unlisted < pollsUnlisted) {
      this.#unlisted += 1;
      return this.#devices;
    }
    this.#unlisted = 0;
    this.#devices = await this.#digestDevices();
    return this.#devices;
  }

  async #eventNumber(): Promise<string | null> {
    const text = await this.#kernel.read(eventNumberFile);
    return text.kind === 'value' ? Buffer.from(text.value).toString('latin1') : null;
  }

  async #digestDevices(): Promise<DeviceListing> {
    const hash = createHash('sha1');
    const pacer = new Pacer(this.#clock);
    const add = async (folder: string): Promise<readonly string[]> => {
      const names = await this.#add(hash, folder);
      if (pacer.due) await pacer.breathe();
      return names;
    };
    for (const folder of deviceFolders) await add(folder);
    // A driver's folder has one link for each device it is bound to: which is how a change of driver shows.
    for (const driver of await add(driversFolder)) await add(`${driversFolder}/${driver}`);
    const vfio: PciAddress[] = [];
    for (const name of await add(vfioClass)) {
      const place = await this.#kernel.readLink(`${vfioClass}/${name}`);
      hash.update(place.kind === 'value' ? place.value : place.kind);
      const address = place.kind === 'value' ? place.value.split('/').findLast(isPciAddress) : null;
      if (address) vfio.push(address);
    }
    return { digest: hash.digest('base64'), vfio };
  }

  async #add(hash: Hash, folder: string): Promise<readonly string[]> {
    const names = await this.#kernel.list(folder);
    hash.update(folder);
    hash.update(names.kind === 'value' ? names.value.join('\n') : names.kind);
    return names.kind === 'value' ? names.value : [];
  }

  /** `enable` of a VFIO device: 0 nobody, 1 or more someone has it open. How the end of a user shows. */
  async #readEnable(address: PciAddress): Promise<string> {
    const enable = await this.#kernel.read(`${devicesFolder}/${address}/enable`);
    return enable.kind === 'value' ? Buffer.from(enable.value).toString('latin1') : enable.kind;
  }
}
