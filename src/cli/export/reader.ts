// How an export reads: through the survey that a close look uses, each file once. What is not there is null or
// nothing; what cannot be read is the same, and is named at the head of the export.
import type { Known } from '../../base/known.ts';
import { isAbsent } from '../../host/reading.ts';
import type { LinkedDevice } from '../../host/survey/context.ts';
import { Survey } from '../../host/survey/survey.ts';
import type { KernelFs } from '../../kernel/fs.ts';
import { realClock } from '../../observe/real-clock.ts';
import { isPciAddress, type PciAddress } from '../../pci/address.ts';
import type { PciFunction } from '../../pci/function.ts';

/** A device of a class or bus, and the function it hangs on. */
export interface Placed {
  readonly name: string;
  /** A folder that can be read. */
  readonly path: string;
  /** Its place in the device tree. */
  readonly place: string;
  /** The function nearest above it; null: none (a virtual device). */
  readonly owner: PciAddress | null;
}

/** Reads for one export. */
export class ExportReader {
  /** What could not be read, by path. */
  readonly unread = new Map<string, string>();
  readonly survey: Survey;
  readonly #kernel: KernelFs;

  constructor(kernel: KernelFs, functions: readonly PciFunction[]) {
    this.#kernel = kernel;
    this.survey = new Survey({
      kernel,
      clock: realClock(),
      targets: functions,
      nodeAddresses: [],
    });
  }

  /** Text of a file without the blanks at its ends; null when it is not there or cannot be read. */
  async text(path: string): Promise<string | null> {
    return this.#or(await this.survey.text(path), null)?.trim() ?? null;
  }

  /** Names in a folder, sorted. */
  async names(path: string): Promise<readonly string[]> {
    return [...this.#or(await this.survey.names(path), [])].sort();
  }

  /** Last part of a link's text. */
  async link(path: string): Promise<string | null> {
    const target = this.#or(await this.survey.linkText(path), null);
    return target === null ? null : target.slice(target.lastIndexOf('/') + 1);
  }

  /** Bytes of a file; empty when there are none to be had. */
  async bytes(path: string): Promise<Uint8Array> {
    const outcome = await this.#kernel.read(path);
    if (outcome.kind === 'value') return outcome.value;
    const why = outcome.kind === 'errno' ? outcome.errno : 'pending';
    return this.#or({ known: false, path, why }, new Uint8Array());
  }

  /** Devices that a folder links to (`/sys/class/net`, `/sys/bus/usb/devices`), by name. */
  async placed(folder: string): Promise<readonly Placed[]> {
    const { devices, problems } = await this.survey.linked(folder);
    for (const problem of problems) this.unread.set(problem.path, problem.why);
    return devices
      .map((device) => ({ ...placeOf(device), owner: ownerOf(device.place) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Notes problems that somebody else met. */
  note(problems: readonly { readonly path: string; readonly why: string }[]): void {
    for (const { path, why } of problems) this.unread.set(path, why);
  }

  #or<T>(fact: Known<T>, otherwise: T): T {
    if (fact.known) return fact.value;
    // EINVAL: carrier and speed of an interface that is down.
    if (!isAbsent(fact) && fact.why !== 'EINVAL') this.unread.set(fact.path, fact.why);
    return otherwise;
  }
}

function placeOf({ name, path, place }: LinkedDevice): Omit<Placed, 'owner'> {
  return { name, path, place };
}

/** The last function that a place goes through: a disk behind VMD hangs on the inner one. */
function ownerOf(place: string): PciAddress | null {
  return place.split('/').findLast(isPciAddress) ?? null;
}
