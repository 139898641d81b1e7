// Bundles a TypeScript program of test/kernel/guest for a guest, where there is no node_modules.
import { readFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Entry } from '../rig/cpio.ts';

/** The program as a file of a guest: of its job, or where `path` says. */
export async function guestProgram(
  source: string,
  path = `job/${source.replace(/\.ts$/, '.mjs')}`,
): Promise<Entry> {
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-guest-'));
  const outfile = join(folder, 'program.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, '..', 'guest', source)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node26',
    logLevel: 'warning',
    banner: { js: "import{createRequire}from'node:module';const require=createRequire('/');" },
  });
  const content = readFileSync(outfile);
  rmSync(folder, { recursive: true });
  return { kind: 'file', path, mode: 0o644, content };
}
