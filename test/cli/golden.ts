// Reviewed outputs as files: compared byte for byte, rewritten with UPDATE_GOLDEN=1 (then look at the diff).
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'golden');

/** Compares `text` with the golden file `name`. */
export function assertGolden(name: string, text: string): void {
  const path = join(folder, name);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, text);
    return;
  }
  const hint = `${name} differs from test/cli/golden; with UPDATE_GOLDEN=1 it is written anew`;
  assert.equal(text, readFileSync(path, 'utf8'), hint);
}
