// Mounts in every mount namespace that a process lives in: a mount made inside a pod is not in pid 1's list. What
// no process shows (namespaces kept alive by a file alone) is found by the marks in /sys/fs.
import { type Known, known, type Unknown, unknown } from '../../base/known.ts';
import { concurrently } from '../concurrently.ts';
import { isAbsent, shown } from '../reading.ts';
import type { UseContext } from './context.ts';
import { summed } from './processes.ts';
import type { Mount, MountTable } from './tables.ts';

/** Mount tables read at once: their files share messages to a lane, and parsing them keeps the loop for a few ms. */
const mountTablesAtOnce = 8;
const linksAtOnce = 128;

/** Reads one mountinfo for each mount namespace and root folder. */
export async function surveyMounts(context: UseContext): Promise<MountTable> {
  const { pids, problems: walk } = await context.processes();
  const unreadable: Unknown[] = [];
  const { namespaces, problems } = await listNamespaces(context, pids);
  unreadable.push(...problems);
  const mounts: Mount[] = [];
  const read = await concurrently(namespaces, mountTablesAtOnce, (some) =>
    readNamespace(context, some),
  );
  for (const result of read) {
    if (result.known) mounts.push(...result.value);
    else unreadable.push(result);
  }
  // Without pid 1's own mounts the disk under / is not known, however much else was read.
  if (!pids.includes(1) && unreadable.length === 0 && walk.length === 0) {
    unreadable.push(unknown('/proc/1/mountinfo', 'ENOENT'));
  }
  return { mounts, problems: summed(unreadable) };
}

/** Processes by what they see as mounts; several each, for the first may be gone when its file is read. */
async function listNamespaces(
  context: UseContext,
  pids: readonly number[],
): Promise<{ readonly namespaces: readonly number[][]; readonly problems: readonly Unknown[] }> {
  const ordered = pids.toSorted((a, b) => a - b);
  const views = await concurrently(ordered, linksAtOnce, (pid) => namespaceOf(context, pid));
  const namespaces = new Map<string, number[]>();
  const problems: Unknown[] = [];
  for (const [at, pid] of ordered.entries()) {
    const view = views[at];
    if (view === undefined) continue;
    if (!view.known) problems.push(view);
    else if (view.value !== null) {
      const there = namespaces.get(view.value);
      if (there === undefined) namespaces.set(view.value, [pid]);
      else there.push(pid);
    }
  }
  return { namespaces: [...namespaces.values()], problems };
}

/** What mountinfo shows depends on the namespace and on the process' root folder; null: the process is gone. */
async function namespaceOf(context: UseContext, pid: number): Promise<Known<string | null>> {
  const namespace = await context.linkText(`/proc/${pid}/ns/mnt`);
  if (!namespace.known) return isAbsent(namespace) ? known(null) : namespace;
  const root = await context.linkText(`/proc/${pid}/root`);
  if (!root.known) return isAbsent(root) ? known(null) : root;
  return known(`${namespace.value} ${root.value}`);
}

async function readNamespace(
  context: UseContext,
  pids: readonly number[],
): Promise<Known<readonly Mount[]>> {
  for (const pid of pids) {
    const path = `/proc/${pid}/mountinfo`;
    const text = await context.text(path);
    if (text.known) return parseMountinfo(path, text.value, pids.includes(1));
    // EINVAL: the process is a zombie and has no namespace any more (fs/proc_namespace.c mounts_open_common).
    if (!isAbsent(text) && text.why !== 'EINVAL') return text;
  }
  return known([]);
}

/**
 * Parses a whole mountinfo text (Documentation/filesystems/proc.rst §3.5); a line of another form makes it unknown.
 * Mounts that cannot be of a disk (overlay, proc, tmpfs, …) are left out: a node has tens of thousands of them.
 */
function parseMountinfo(path: string, text: string, host: boolean): Known<readonly Mount[]> {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const match = /^\d+ \d+ (\d+:\d+) (\S+) (\S+) \S+ (?:\S+ )*?- (\S+) (\S*) \S+$/.exec(line);
    if (match === null) return unknown(path, `has the line ${shown(line)}, which is no mount`);
    const [, devno = '', root = '', target = '', fsType = '', source = ''] = match;
    if (!ofDisk(devno, root, fsType, source)) continue;
    mounts.push({
      devno,
      root: unescaped(root),
      target: unescaped(target),
      fsType,
      source: unescaped(source),
      path,
      host,
    });
  }
  return known(mounts);
}

/** Major 0 are file systems without one device: of those, btrfs names its disk, ZFS its pool and devtmpfs a node. */
function ofDisk(devno: string, root: string, fsType: string, source: string): boolean {
  if (fsType === 'devtmpfs') return root !== '/';
  return !devno.startsWith('0:') || source.startsWith('/dev/') || fsType === 'zfs';
}

/** Undoes the octal escapes of /proc (fs/proc_namespace.c mangle, mm/swapfile.c seq_file_path). */
export function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_all, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
