// Stand-ins for the device nodes of the model in a real folder, so that a container runtime has something to
// hand to a pod: character devices with the null device's numbers, or plain files where those may not be made.
// Nothing is touched that is not such a stand-in.
import { execFile } from 'node:child_process';
import { chmod, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { errorText } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { KernelFs } from '../fs.ts';

const run = promisify(execFile);

/** /dev/null is 1:3 (Documentation/admin-guide/devices.txt); makedev of glibc for small numbers. */
const nullMajor = 1;
const nullMinor = 3;
const nullDevice = nullMajor * 256 + nullMinor;

/** Folders below the root that hold nodes, deepest last. */
const folders = ['vfio', 'vfio/devices'] as const;

/** Keeps the nodes of a folder as the model has them. */
export class DeviceNodes {
  readonly #kernel: KernelFs;
  readonly #root: string;
  readonly #log: Log;
  #work: Promise<void> = Promise.resolve();
  #again = false;
  #files = false;

  constructor(parts: { readonly kernel: KernelFs; readonly root: string; readonly log: Log }) {
    this.#kernel = parts.kernel;
    this.#root = parts.root;
    this.#log = parts.log;
  }

  /** Looks at the model and makes the folder equal; calls while one is under way are one more look. */
  sync(): Promise<void> {
    if (this.#again) return this.#work;
    this.#again = true;
    this.#work = this.#work.then(async () => {
      this.#again = false;
      await this.#once(await this.#wanted());
    });
    return this.#work;
  }

  /** Takes all stand-ins away. */
  async clear(): Promise<void> {
    await this.sync();
    this.#work = this.#work.then(() => this.#once(new Set()));
    await this.#work;
  }

  async #names(folder: string): Promise<readonly string[]> {
    const names = await this.#kernel.list(`/dev/${folder}`);
    return names.kind === 'value' ? names.value : [];
  }

  /** Paths below the root that the model has nodes for. */
  async #wanted(): Promise<ReadonlySet<string>> {
    const wanted = new Set<string>();
    for (const name of await this.#names('vfio'))
      if (name !== 'devices') wanted.add(`vfio/${name}`);
    for (const name of await this.#names('vfio/devices')) wanted.add(`vfio/devices/${name}`);
    const iommu = await this.#kernel.exists('/dev/iommu');
    if (iommu.kind === 'value' && iommu.value) wanted.add('iommu');
    return wanted;
  }

  async #once(wanted: ReadonlySet<string>): Promise<void> {
    for (const there of await this.#present()) if (!wanted.has(there)) await this.#remove(there);
    for (const path of wanted) await this.#make(path);
  }

  /** Paths below the root where nodes could be, whoever made them. */
  async #present(): Promise<readonly string[]> {
    const found = ['iommu'];
    for (const folder of folders) {
      const names = await readdir(join(this.#root, folder)).catch(() => []);
      for (const name of names) if (name !== 'devices') found.push(`${folder}/${name}`);
    }
    return found;
  }

  /** What is at a path: a stand-in of ours, something else, or nothing. */
  async #at(path: string): Promise<'stand-in' | 'other' | 'nothing'> {
    try {
      const stat = await lstat(join(this.#root, path));
      if (stat.isCharacterDevice() && stat.rdev === nullDevice) return 'stand-in';
      return stat.isFile() && stat.size === 0 ? 'stand-in' : 'other';
    } catch {
      return 'nothing';
    }
  }

  async #remove(path: string): Promise<void> {
    if ((await this.#at(path)) === 'stand-in') await rm(join(this.#root, path), { force: true });
  }

  async #make(path: string): Promise<void> {
    const whole = join(this.#root, path);
    const there = await this.#at(path);
    if (there === 'stand-in') return;
    if (there === 'other') {
      this.#log.warn('sim-node-refused', { path: whole, why: 'something else is there' });
      return;
    }
    const mode = path === 'vfio/vfio' ? 0o666 : 0o600;
    try {
      await mkdir(dirname(whole), { recursive: true });
      await this.#create(whole, mode);
    } catch (problem) {
      this.#log.warn('sim-node-refused', { path: whole, why: errorText(problem) });
    }
  }

  /** A node when we may make one, else a file; which is told once. */
  async #create(path: string, mode: number): Promise<void> {
    if (!this.#files && process.getuid?.() === 0) {
      try {
        // With -m it has its mode from the start: nobody may find it open wider.
        const numbers = [String(nullMajor), String(nullMinor)];
        await run('mknod', ['-m', mode.toString(8), path, 'c', ...numbers]);
        return;
      } catch (problem) {
        this.#tellFiles(errorText(problem));
      }
    } else if (!this.#files) {
      this.#tellFiles('only root makes device nodes');
    }
    await writeFile(path, '', { mode });
    await chmod(path, mode);
  }

  #tellFiles(why: string): void {
    this.#files = true;
    this.#log.warn('sim-nodes-are-files', { root: this.#root, why });
  }
}
