// What real kernels answered to the kernel scripts, as it was recorded.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { comparable, type Comparing } from './comparable.ts';

const folder = new URL('../data/transcripts/', import.meta.url);
const text = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

/** The answers of one kernel to one script. */
export interface Recording {
  /** Name of its file. */
  readonly file: string;
  /** As its name says it: "61", "612", "612c", "72", "510". */
  readonly kernel: string;
  readonly script: string;
}

/** Every recording, by script and kernel. Throws where a name says neither. */
export function recordings(): readonly Recording[] {
  const key = ({ script, kernel }: Recording): string => `${script} ${kernel}`;
  return readdirSync(folder)
    .filter((file) => file.startsWith('out_'))
    .map((file) => {
      const [, kernel, script] = /^out_(\d+c?)_([a-z]+\d+)/.exec(file) ?? [];
      assert.ok(kernel !== undefined && script !== undefined, `${file} is out_KERNEL_SCRIPT`);
      return { file, kernel, script };
    })
    .sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** The script itself. */
export function scriptText(script: string): string {
  return text(`${script}.txt`);
}

/** The recorded answers, without what is not compared. */
export function recordedAnswers({ file }: Recording, how: Comparing): string[] {
  return comparable(text(file).replaceAll('\r', '').split('\n'), how);
}
