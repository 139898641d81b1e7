// The processes of wholegroup on a node, to be killed as a bug or the kernel would.
import { readdirSync, readFileSync } from 'node:fs';

/** Processes of the pod with this uid that run a program of wholegroup, as this process sees them. */
export function processesOfPod(uid: string): readonly number[] {
  const marks = [`pod${uid}`, `pod${uid.replaceAll('-', '_')}`];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
        return marks.some((mark) => groups.includes(mark)) && command.includes('wholegroup');
      } catch {
        // It has ended meanwhile.
        return false;
      }
    })
    .map(Number);
}

/** Ends all of them at once, without a word. */
export function killPod(uid: string): void {
  const pids = processesOfPod(uid);
  if (pids.length === 0) throw new Error(`no process of wholegroup runs in pod ${uid}`);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}
