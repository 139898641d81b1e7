// Open device files of every process, from one walk over /proc. A /proc that is not the whole machine's, or that
// may not be looked into, is a problem of the whole walk: nothing may then be concluded from what it did not show.
// Only each process' leader is looked at: threads with a descriptor table of their own are not seen.
import { type Unknown, unknown } from '../../base/known.ts';
import { isAbsent } from '../reading.ts';
import type { UseContext } from './context.ts';
import type { Opener, ProcessTable } from './tables.ts';

/** Inode of the first pid namespace, fixed since Linux 3.8 (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
const hostPidNamespace = 'pid:[4026531836]';

// Descriptors on devices and on VFIO only; the rest of what a machine has open is nobody's business here.
const wanted = /^(?:.*\/dev\/|\/sys\/devices\/|\/sys\/bus\/pci\/|anon_inode:\[?(?:vfio|iommu))/;
const unwanted =
  /^\/dev\/(?:null|zero|full|u?random|tty|ptmx|fuse|console|pts\/.*|shm\/.*|mqueue\/.*|hugepages\/.*)$/;

/** One walk. */
export async function surveyProcesses(context: UseContext): Promise<ProcessTable> {
  const openers = new Map<string, Opener[]>();
  const problems: Unknown[] = [];
  const view = await hostView(context);
  if (view !== null) problems.push(view);
  const names = await context.names('/proc');
  if (!names.known) return { pids: [], openers, problems: [...problems, names] };
  const pids = names.value.filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
  const unreadable: Unknown[] = [];
  for (const pid of pids) {
    const problem = await addOpenFiles(context, pid, openers);
    if (problem !== null) unreadable.push(problem);
    if (context.pacer.due) await context.pacer.breathe();
  }
  return { pids, openers, problems: [...problems, ...summed(unreadable)] };
}

/** Null when /proc shows the processes of the whole machine. */
async function hostView(context: UseContext): Promise<Unknown | null> {
  const path = '/proc/1/ns/pid';
  const namespace = await context.linkText(path);
  if (!namespace.known) return namespace;
  if (namespace.value === hostPidNamespace) return null;
  return unknown(path, `is ${namespace.value}: these are not the processes of the whole machine`);
}

async function addOpenFiles(
  context: UseContext,
  pid: number,
  openers: Map<string, Opener[]>,
): Promise<Unknown | null> {
  const folder = `/proc/${pid}/fd`;
  const fds = await context.names(folder);
  if (!fds.known) return isAbsent(fds) ? null : fds;
  for (const fd of fds.value) {
    const target = await context.linkText(`${folder}/${fd}`);
    if (!target.known) {
      if (isAbsent(target)) continue;
      return target;
    }
    if (!wanted.test(target.value) || unwanted.test(target.value)) continue;
    const file = target.value.replace(/ \(deleted\)$/, '');
    const there = openers.get(file);
    if (there === undefined) openers.set(file, [{ pid, fd }]);
    else there.push({ pid, fd });
  }
  return null;
}

/** One problem for many processes: the first, and how many more. */
export function summed(problems: readonly Unknown[]): readonly Unknown[] {
  const [first, ...rest] = problems;
  if (first === undefined) return [];
  if (rest.length === 0) return [first];
  return [unknown(first.path, `${first.why} (and of ${rest.length} more processes)`)];
}

/** `pid 4711 (qemu-system-x86)`: how an opener is named to people. */
async function describeOpener(context: UseContext, opener: Opener): Promise<string> {
  const comm = await context.text(`/proc/${opener.pid}/comm`);
  return comm.known ? `pid ${opener.pid} (${comm.value.trim()})` : `pid ${opener.pid}`;
}

/** Several openers in a few words: the first by name, the others counted; each process once. */
export async function describeOpeners(
  context: UseContext,
  openers: readonly Opener[],
): Promise<string> {
  const byPid = [...new Map(openers.map((opener) => [opener.pid, opener])).values()];
  const [first] = byPid;
  if (first === undefined) return 'nobody';
  const named = await describeOpener(context, first);
  return byPid.length === 1 ? named : `${named} and ${byPid.length - 1} more`;
}
