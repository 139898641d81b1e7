// What a search for uses is made in: the functions in question, and the machine, read at most once per file for all
// of them. The interface and the words for findings; survey.ts does the reading.
import type { Known, Unknown } from '../../base/known.ts';
import type { FolderLink, ReadOptions } from '../../kernel/fs.ts';
import type { Evidence, HostUse, HostUseKind } from '../../ownership/use.ts';
import type { PciFunction } from '../../pci/function.ts';
import type { BlockTable, MountTable, ProcessTable } from './tables.ts';

/** A device that a class or bus folder links to. */
export interface LinkedDevice {
  readonly name: string;
  /** The folder that links to it, with its name: a path that can be read. */
  readonly path: string;
  /** Text of the link: its place in the device tree. */
  readonly place: string;
  /** Functions in question that it hangs on. */
  readonly targets: readonly PciFunction[];
}

/** The devices of a class, and what of it could not be read. */
export interface LinkedDevices {
  readonly devices: readonly LinkedDevice[];
  readonly problems: readonly Unknown[];
}

/** One search. Every read is made once, whoever asks. */
export interface UseContext {
  /** The functions in question: all but bridges, which are never unbound. */
  readonly targets: readonly PciFunction[];
  /** Addresses by which the cluster knows this node. */
  readonly nodeAddresses: readonly string[];
  /** Text of a file. */
  text(path: string, options?: ReadOptions): Promise<Known<string>>;
  /** Names in a folder. */
  names(path: string): Promise<Known<readonly string[]>>;
  /** Text of a link. */
  linkText(path: string): Promise<Known<string>>;
  /** Names in a folder with where the link of each leads; EINVAL: no link. */
  links(path: string): Promise<Known<readonly FolderLink[]>>;
  /** Open device files of every process. */
  processes(): Promise<ProcessTable>;
  /** Mounts in every mount namespace that a process lives in. */
  mounts(): Promise<MountTable>;
  /** Block devices, and what is stacked on what. */
  blocks(): Promise<BlockTable>;
  /** The functions in question that a place in the device tree goes through: a disk behind VMD hangs on two. */
  targetsAt(place: string): readonly PciFunction[];
  /** The function in question with this address. */
  target(address: string): PciFunction | undefined;
  /** The devices that `folder` (a class, or a bus' `devices`) links to. A folder that is not there has none. */
  linked(folder: string): Promise<LinkedDevices>;
}

/** Finds the uses of one sort. Each lives in a file of its own in uses/. */
export type FindUses = (context: UseContext) => Promise<readonly HostUse[]>;

/** One use of each of `targets`. */
export function usesOf(
  kind: HostUseKind,
  targets: readonly PciFunction[],
  subject: string,
  evidence: Evidence,
): HostUse[] {
  const { path, says } = evidence;
  return targets.map((fn) => ({
    kind,
    address: fn.address,
    subject: oneLine(subject),
    evidence: { path, says: oneLine(says) },
  }));
}

/** A device whose mere presence is a use. */
export function thereUses(kind: HostUseKind, device: LinkedDevice): HostUse[] {
  const { name, path, place, targets } = device;
  return usesOf(kind, targets, name, { path, says: place });
}

/** UnknownUse of each of `targets`: `what` could not be found out. */
export function unknownUses(
  targets: readonly PciFunction[],
  what: string,
  problems: readonly Unknown[],
): HostUse[] {
  return problems.flatMap((problem) =>
    usesOf('UnknownUse', targets, what, { path: problem.path, says: problem.why }),
  );
}

const lineMax = 160;

/** A text for one line of a message. */
function oneLine(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length > lineMax ? `${line.slice(0, lineMax)}…` : line;
}

/** Functions of several lists, each once. */
export function distinct(functions: Iterable<PciFunction>): readonly PciFunction[] {
  return [...new Set(functions)];
}
