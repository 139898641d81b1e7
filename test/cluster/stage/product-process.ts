// The processes of wholegroup on a node, to be killed as a bug or the kernel would.
import { readdirSync, readFileSync } from 'node:fs';

/** Processes in the containers of the pod with this uid, as this process sees them; of wholegroup, or all. */
function processesOfPod(uid: string, all: boolean): readonly number[] {
  const marks = [`pod${uid}`, `pod${uid.replaceAll('-', '_')}`];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
        return (
          marks.some((mark) => groups.includes(mark)) && (all || command.includes('wholegroup'))
        );
      } catch {
        // It has ended meanwhile.
        return false;
      }
    })
    .map(Number);
}

/** Sends a signal to the processes of wholegroup in a pod, or to all of its processes. */
export function signalPod(uid: string, signal: NodeJS.Signals, { all = false } = {}): void {
  const pids = processesOfPod(uid, all);
  if (pids.length === 0) throw new Error(`no process runs in pod ${uid}`);
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (thrown) {
      // With the first process of a container go all others.
      if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
    }
  }
}

/** Ends the processes of wholegroup in a pod at once, without a word; all of its processes if told so. */
export function killPod(uid: string, which: { readonly all?: boolean } = {}): void {
  signalPod(uid, 'SIGKILL', which);
}
