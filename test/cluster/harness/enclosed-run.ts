// A program that runs its tests by running itself once more, within an enclosure, and then looks at what was left.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runEnclosed } from './enclosure.ts';
import { marksOfRun } from './leftovers.ts';

/**
 * Runs this very program within an enclosure, with `more` in its environment and a folder of its own for what is
 * temporary, and tells what it left behind on this machine. Resolves with its status, or with 1 when something was left.
 */
export async function runSelfEnclosed(name: string, more: NodeJS.ProcessEnv = {}): Promise<number> {
  const before = marksOfRun(process.pid);
  const folder = mkdtempSync(join(tmpdir(), `wholegroup-${name}-`));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const env = { ...process.env, TMPDIR: folder, ...more };
  const status = await runEnclosed([process.execPath, ...process.argv.slice(1)], env);
  const left = [...marksOfRun(process.pid)].filter((mark) => !before.has(mark));
  if (left.length > 0) {
    console.error(`✖ left behind on this machine:\n  ${left.join('\n  ')}`);
    return 1;
  }
  console.log('✔ nothing was left behind: processes, mounts, devices, control groups, sysctls');
  return status;
}
