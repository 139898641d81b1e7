// The recorded scripts anew, on the kernels that Debian has today: every line as it was recorded. What the model
// is held to in `npm test` is held to Linux here.
import assert from 'node:assert/strict';
import { groupBy } from '../../../src/base/group-by.ts';
import { comparable } from '../../play/comparable.ts';
import { type Recording, recordedAnswers, recordings, scriptText } from '../../play/recordings.ts';
import { accountOf, runGuest } from '../rig/guest.ts';
import { textFile } from '../rig/initramfs.ts';
import type { KernelTree, Rig } from '../rig/rig.ts';
import { shapes } from '../rig/shapes.ts';
import type { KernelName } from '../rig/wanted.ts';
import { firstDifference } from './differing.ts';
import type { Suite } from './judgement.ts';
import { everywhere, onlyCore } from './setup.ts';

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

async function answers(rig: Rig, kernel: KernelTree, script: string): Promise<readonly string[]> {
  const shape = shapes[script === 's5' ? 'transcripts-shpc' : 'transcripts'];
  const job = [
    // Random scripts were recorded without pauses.
    textFile('job/main', `player ${/^[rc]/.test(script) ? '-q ' : ''}/job/script\n`),
    textFile('job/script', scriptText(script)),
  ];
  const ended = await runGuest({ rig, kernel, shape, job, deadlineMs });
  // 5.10 kills the player with its own BUG in s1, as recorded.
  assert.ok(ended.status === 0 || ended.status === segmentationFault, accountOf(ended));
  return ended.lines;
}

/** The others are played on one of their kernels by default, in turn: all of them take minutes. */
function chosen(): readonly Recording[] {
  const all = recordings();
  const ofScripts = [...groupBy(all, ({ script }) => script).values()];
  const inTurn = new Set(ofScripts.map((of, index) => of[index % of.length]));
  return all.filter(
    (each) => everywhere || coreScripts.has(each.script) || (!onlyCore && inTurn.has(each)),
  );
}

/** The suite. */
export const transcripts: Suite = (rig) =>
  chosen().map((recording) => {
    const { script } = recording;
    const name = recordedOn[recording.kernel];
    assert.ok(name !== undefined, `no kernel for ${recording.file}`);
    return {
      kernel: name,
      title: `${script} answers line for line as it was recorded`,
      play: async (_, kernel) => {
        const lines = await answers(rig, kernel, script);
        const how = { anySensor: true, anyRace: true };
        const expected = recordedAnswers(recording, how);
        const difference = firstDifference(comparable(lines, how), expected);
        assert.ok(difference === null, difference ?? '');
      },
    };
  });
