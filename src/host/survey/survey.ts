// The machine as one close look reads it: every file at most once, whoever asks for it.
import type { Clock } from '../../base/clock.ts';
import type { Known, Unknown } from '../../base/known.ts';
import type { FolderLink, KernelFs, ReadOptions } from '../../kernel/fs.ts';
import type { PciFunction } from '../../pci/function.ts';
import { factOf, isAbsent, Pacer, readNames, readText } from '../reading.ts';
import { surveyBlocks } from './blocks.ts';
import type { LinkedDevice, LinkedDevices, UseContext } from './context.ts';
import { surveyMounts } from './mounts.ts';
import { surveyProcesses } from './processes.ts';
import type { BlockTable, MountTable, ProcessTable } from './tables.ts';

/** What a survey is made for. */
export interface SurveyParts {
  readonly kernel: KernelFs;
  readonly clock: Clock;
  readonly targets: readonly PciFunction[];
  readonly nodeAddresses: readonly string[];
}

/** One survey; its answers are as old as its first read of each file, so it lives no longer than one look. */
export class Survey implements UseContext {
  readonly targets: readonly PciFunction[];
  readonly nodeAddresses: readonly string[];
  readonly #pacer: Pacer;
  readonly #kernel: KernelFs;
  readonly #byAddress: ReadonlyMap<string, PciFunction>;
  readonly #reads = new Map<string, Promise<Known<unknown>>>();
  readonly #linked = new Map<string, Promise<LinkedDevices>>();
  #blocks: Promise<BlockTable> | null = null;
  #mounts: Promise<MountTable> | null = null;
  #processes: Promise<ProcessTable> | null = null;

  constructor(parts: SurveyParts) {
    this.#kernel = parts.kernel;
    this.targets = parts.targets;
    this.nodeAddresses = parts.nodeAddresses;
    this.#pacer = new Pacer(parts.clock);
    this.#byAddress = new Map(parts.targets.map((fn) => [fn.address, fn]));
  }

  text(path: string, options?: ReadOptions): Promise<Known<string>> {
    const part = `${options?.linesWith ?? ''} ${options?.firstBytes ?? ''}`;
    return this.#once(`text ${path} ${part}`, () => readText(this.#kernel, path, options));
  }

  names(path: string): Promise<Known<readonly string[]>> {
    return this.#once(`names ${path}`, () => readNames(this.#kernel, path));
  }

  // Not kept: links are many (every open file of the machine), and nobody asks for them twice.
  links(path: string): Promise<Known<readonly FolderLink[]>> {
    return this.#paced(async () => factOf(path, await this.#kernel.readLinks(path)));
  }

  async linkText(path: string): Promise<Known<string>> {
    return this.#paced(async () => factOf(path, await this.#kernel.readLink(path)));
  }

  /** Searches run side by side and make thousands of reads; each read minds how long the loop has been kept. */
  async #paced<T>(read: () => Promise<T>): Promise<T> {
    if (this.#pacer.due) await this.#pacer.breathe();
    return read();
  }

  #once<T>(key: string, read: () => Promise<Known<T>>): Promise<Known<T>> {
    // One walk over the processes needs each of these once, and there are thousands.
    if (/ \/proc\/\d+\/mountinfo/.test(key)) return this.#paced(read);
    const begun = this.#reads.get(key) as Promise<Known<T>> | undefined;
    if (begun !== undefined) return begun;
    const begins = this.#paced(read);
    this.#reads.set(key, begins);
    return begins;
  }

  processes(): Promise<ProcessTable> {
    this.#processes ??= surveyProcesses(this);
    return this.#processes;
  }

  mounts(): Promise<MountTable> {
    this.#mounts ??= this.#mountsOfDisks();
    return this.#mounts;
  }

  /** A mount can only be a use of a disk: where no function in question has one, the mounts of a thousand pods are not read. */
  async #mountsOfDisks(): Promise<MountTable> {
    const { concerned } = await this.blocks();
    return concerned.length === 0 ? { mounts: [], problems: [] } : surveyMounts(this);
  }

  blocks(): Promise<BlockTable> {
    this.#blocks ??= surveyBlocks(this);
    return this.#blocks;
  }

  targetsAt(place: string): readonly PciFunction[] {
    const found: PciFunction[] = [];
    for (const part of place.split('/')) {
      const fn = this.#byAddress.get(part);
      if (fn !== undefined) found.push(fn);
    }
    return found;
  }

  target(address: string): PciFunction | undefined {
    return this.#byAddress.get(address);
  }

  linked(folder: string): Promise<LinkedDevices> {
    const begun = this.#linked.get(folder);
    if (begun !== undefined) return begun;
    const begins = this.#follow(folder);
    this.#linked.set(folder, begins);
    return begins;
  }

  async #follow(folder: string): Promise<LinkedDevices> {
    const links = await this.links(folder);
    if (!links.known) return { devices: [], problems: isAbsent(links) ? [] : [links] };
    const devices: LinkedDevice[] = [];
    const problems: Unknown[] = [];
    for (const { name, link } of links.value) {
      const path = `${folder}/${name}`;
      const place = factOf(path, link);
      if (place.known) {
        devices.push({ name, path, place: place.value, targets: this.targetsAt(place.value) });
      } else if (!isAbsent(place) && place.why !== 'EINVAL') {
        // EINVAL: a plain file beside the links (`drm/version`), not a device.
        problems.push(place);
      }
    }
    return { devices, problems };
  }
}
