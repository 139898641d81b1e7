// The CDI spec files on disk: one for each group, replaced whole, so that a runtime that reads at any
// moment sees the old spec or the new one. It touches no file that does not bear our name.
import { mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, errorText } from '../base/errors.ts';
import { isPciAddress, type PciAddress } from '../pci/address.ts';
import type { CdiSpec } from './cdi.ts';

// Runtimes read *.json and *.yaml of the folder itself; a temporary file must not look like either.
const fileForm = /^wholegroup-([0-9a-f]{4,8})-([0-9a-f]{2})-([0-9a-f]{2})-([0-7])\.json$/;
const temporaryForm = /^\.wholegroup-.*\.tmp$/;

/** Name of the spec file of the group led by `leader`. */
export function cdiFileName(leader: PciAddress): string {
  return `wholegroup-${leader.replaceAll(/[:.]/g, '-')}.json`;
}

/** Spec files in one folder (`/var/run/cdi`). Keeps no state. */
export class CdiFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Puts the group's spec in place of any earlier one, atomically (temporary file in the same folder, then
   * rename). Makes the folder when it is missing. Throws WG_CDI_WRITE_FAILED; then the earlier file stands.
   */
  async write(leader: PciAddress, spec: CdiSpec): Promise<void> {
    const name = cdiFileName(leader);
    const temporary = join(this.#folder, `.${name}.tmp`);
    try {
      await mkdir(this.#folder, { recursive: true });
      const file = await open(temporary, 'w', 0o644);
      try {
        await file.writeFile(`${JSON.stringify(spec, null, 2)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, join(this.#folder, name));
    } catch (problem) {
      await unlink(temporary).catch(() => undefined);
      throw failed(join(this.#folder, name), 'written', problem);
    }
  }

  /** Removes the group's spec. Idempotent. Throws WG_CDI_WRITE_FAILED. */
  async remove(leader: PciAddress): Promise<void> {
    const path = join(this.#folder, cdiFileName(leader));
    try {
      await unlink(path);
    } catch (problem) {
      if (isMissing(problem)) return;
      throw failed(path, 'removed', problem);
    }
  }

  /** Leaders that have a spec file now, in name order: at start, those without a lease are leftovers. Removes half-written files. */
  async list(): Promise<readonly PciAddress[]> {
    let names: string[];
    try {
      names = await readdir(this.#folder);
    } catch (problem) {
      if (isMissing(problem)) return [];
      throw failed(this.#folder, 'listed', problem);
    }
    const leaders: PciAddress[] = [];
    for (const name of names.sort()) {
      const [, domain, bus, slot, fn] = fileForm.exec(name) ?? [];
      const address = `${domain}:${bus}:${slot}.${fn}`;
      if (isPciAddress(address)) leaders.push(address);
      if (temporaryForm.test(name)) await unlink(join(this.#folder, name)).catch(() => undefined);
    }
    return leaders;
  }
}

function isMissing(problem: unknown): boolean {
  return problem instanceof Error && 'code' in problem && problem.code === 'ENOENT';
}

function failed(path: string, done: string, problem: unknown): CodedError {
  return new CodedError('WG_CDI_WRITE_FAILED', `${path} cannot be ${done}: ${errorText(problem)}`, {
    cause: problem,
  });
}
