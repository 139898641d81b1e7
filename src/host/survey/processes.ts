// Open device files of every process, from one walk over /proc. A /proc that is not the whole machine's, or that
// may not be looked into, is a problem of the whole walk: nothing may then be concluded from what it did not show.
// Only each process' leader is looked at: threads with a descriptor table of their own are not seen.
import { type Unknown, unknown } from '../../base/known.ts';
import { concurrently } from '../concurrently.ts';
import { factOf, isAbsent } from '../reading.ts';
import type { UseContext } from './context.ts';
import type { Opener, ProcessTable } from './tables.ts';

/** Inode of the first pid namespace, fixed since Linux 3.8 (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
const hostPidNamespace = 'pid:[4026531836]';

// Descriptors on devices and on VFIO only; the rest of what a machine has open is nobody's business here.
const wanted = /^(?:.*\/dev\/|\/sys\/devices\/|\/sys\/bus\/pci\/|anon_inode:\[?(?:vfio|iommu))/;
const unwanted =
  /^\/dev\/(?:null|zero|full|u?random|tty|ptmx|fuse|console|pts\/.*|shm\/.*|mqueue\/.*|hugepages\/.*)$/;

/** Processes that are looked at together: all of most machines, for over a served one each round costs time. */
const processesAtOnce = 4096;

/** One walk. */
export async function surveyProcesses(context: UseContext): Promise<ProcessTable> {
  const openers = new Map<string, Opener[]>();
  const problems: Unknown[] = [];
  const [view, names] = await Promise.all([hostView(context), context.names('/proc')]);
  if (view !== null) problems.push(view);
  if (!names.known) return { pids: [], openers, problems: [...problems, names] };
  const pids = names.value.filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
  const tables = await concurrently(pids, processesAtOnce, (pid) => openFiles(context, pid));
  const unreadable: Unknown[] = [];
  for (const table of tables) {
    if (table.problem !== null) unreadable.push(table.problem);
    for (const { file, opener } of table.files) {
      const there = openers.get(file);
      if (there === undefined) openers.set(file, [opener]);
      else there.push(opener);
    }
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

/** What of a process' descriptors is of interest, and the first thing that could not be seen. */
interface OpenFiles {
  readonly files: readonly { readonly file: string; readonly opener: Opener }[];
  readonly problem: Unknown | null;
}

async function openFiles(context: UseContext, pid: number): Promise<OpenFiles> {
  const folder = `/proc/${pid}/fd`;
  const links = await context.links(folder);
  if (!links.known) return { files: [], problem: isAbsent(links) ? null : links };
  const files: OpenFiles['files'][number][] = [];
  let problem: Unknown | null = null;
  for (const { name: fd, link } of links.value) {
    if (link.kind === 'errno') {
      const target = factOf(`${folder}/${fd}`, link);
      if (!target.known && !isAbsent(target)) problem ??= target;
    } else if (wanted.test(link.value) && !unwanted.test(link.value)) {
      files.push({ file: link.value.replace(/ \(deleted\)$/, ''), opener: { pid, fd } });
    }
  }
  return { files, problem };
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
