// The recorded scripts anew, on the kernels that Debian has today: every line as it was recorded. What the model
// is held to in `npm test` is held to Linux here.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { comparable } from '../../play/comparable.ts';
import { accountOf, runGuest } from '../rig/guest.ts';
import { textFile } from '../rig/initramfs.ts';
import type { KernelTree, Rig } from '../rig/rig.ts';
import { shapes } from '../rig/shapes.ts';
import type { KernelName } from '../rig/wanted.ts';
import { firstDifference } from './differing.ts';
import type { Suite } from './judgement.ts';
import { everywhere, onlyCore } from './setup.ts';

const folder = new URL('../../data/transcripts/', import.meta.url);
const recordedOn: Readonly<Record<string, KernelName>> = {
  '61': '6.1',
  '612': '6.12',
  '612c': '6.12-cdev',
  '72': 'newest',
  '510': '5.10',
};
/** Ownership from bind to close, numbers of groups that come again, and device files. */
const coreScripts: ReadonlySet<string> = new Set(['s1', 's10', 'c3']);
const segmentationFault = 139;
const deadlineMs = 240_000;

const text = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

async function answers(rig: Rig, kernel: KernelTree, script: string): Promise<readonly string[]> {
  const shape = shapes[script === 's5' ? 'transcripts-shpc' : 'transcripts'];
  const job = [
    // Random scripts were recorded without pauses.
    textFile('job/main', `player ${/^[rc]/.test(script) ? '-q ' : ''}/job/script\n`),
    textFile('job/script', text(`${script}.txt`)),
  ];
  const ended = await runGuest({ rig, kernel, shape, job, deadlineMs });
  // 5.10 kills the player with its own BUG in s1, as recorded.
  assert.ok(ended.status === 0 || ended.status === segmentationFault, accountOf(ended));
  return ended.lines;
}

const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const recordings = readdirSync(folder)
  .map((file) => /^out_(\d+c?)_([a-z]+\d+)/.exec(file))
  .filter((match) => match !== null)
  .map(({ 1: kernel = '', 2: script = '', input }) => ({ file: input, kernel, script }))
  .sort((a, b) => inOrder(a.script, b.script) || inOrder(a.kernel, b.kernel));

/** The others are played on one of their kernels by default, in turn: all of them take minutes. */
const scripts = [...new Set(recordings.map(({ script }) => script))];
function isPlayed({ kernel, script }: (typeof recordings)[number]): boolean {
  if (everywhere || coreScripts.has(script)) return true;
  if (onlyCore) return false;
  const kernels = recordings.filter((each) => each.script === script).map((each) => each.kernel);
  return kernels.indexOf(kernel) === scripts.indexOf(script) % kernels.length;
}

/** The suite. */
export const transcripts: Suite = (rig) =>
  recordings.filter(isPlayed).map(({ file, kernel: recorded, script }) => {
    const name = recordedOn[recorded];
    assert.ok(name !== undefined, `no kernel for ${file}`);
    return {
      kernel: name,
      title: `${script} answers line for line as it was recorded`,
      play: async (_, kernel) => {
        const lines = await answers(rig, kernel, script);
        const how = { anySensor: true, anyRace: true };
        const expected = comparable(text(file).replaceAll('\r', '').split('\n'), how);
        const difference = firstDifference(comparable(lines, how), expected);
        assert.ok(difference === null, difference ?? '');
      },
    };
  });
