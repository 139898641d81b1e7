// The bundle of today's sources, for whoever ships, measures or plays it: one of an hour ago is not what was meant.
import { join } from 'node:path';
import { runProgram } from '../test/kernel/rig/run-program.ts';
import { root } from './generated.ts';

/** Makes dist/ anew. Throws with the last lines of what esbuild said. */
export async function makeBundle(): Promise<void> {
  await runProgram(process.execPath, [join(root, 'scripts/bundle.ts')]);
}
