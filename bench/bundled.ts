// The bundle as the program to be measured.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { agentNodeFlags } from '../scripts/agent-flags.ts';
import { root } from './children.ts';

/** Makes the bundle of today's sources: an older one would be measured without a word. Throws with what esbuild says. */
export function makeBundle(): void {
  const ran = spawnSync(process.execPath, [join(root, 'scripts/bundle.ts')], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`the bundle cannot be made:\n${ran.stderr}`);
}

/** What starts the bundle: arguments of Node.js. */
export function bundled(): readonly string[] {
  return [...agentNodeFlags, join(root, 'dist', 'main.js')];
}
