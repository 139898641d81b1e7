// Every suite that was asked for, as one list: as many guests side by side as there is room for, whichever suite they are of.
import { describe, test } from 'node:test';
import { Berths, type Share } from './berths.ts';
import { flow } from './flow.ts';
import { type Suite, type SuiteName, suiteNames } from './judgement.ts';
import { random } from './random.ts';
import { refusals } from './refusals.ts';
import { transcripts } from './transcripts.ts';
import { uses } from './uses.ts';
import { askedSuites, kernelOf, sideBySide, suiteRig } from './setup.ts';

const suites: Readonly<Record<SuiteName, Suite>> = { flow, uses, refusals, random, transcripts };
/** A guest that plays a script waits more than it works, measured as seconds of processor: 0.35 and 0.45 of a core. */
const shares: Readonly<Record<SuiteName, Share>> = {
  ...{ flow: 1, uses: 1, refusals: 1, random: 0.5, transcripts: 0.5 },
};
const rig = await suiteRig();
const berths = new Berths(sideBySide);

const judgements = suiteNames
  .filter((name) => askedSuites.includes(name))
  .flatMap((name) => suites[name](rig).map((each) => ({ ...each, share: shares[name] })));

// All of them begin at once, and wait for room.
describe('real kernels', { concurrency: judgements.length + 1 }, () => {
  for (const { kernel, title, share, play } of judgements) {
    test(`${kernel}: ${title}`, (t) => {
      const tree = kernelOf(rig, kernel);
      if (typeof tree === 'string') return t.skip(tree);
      return berths.with(share, async () => {
        const startedMs = performance.now();
        try {
          await play(t, tree);
        } catch (thrown) {
          // The runner says it when all of them were played, which takes a while.
          console.log(`${kernel}: ${title}: ${String(thrown)}`);
          throw thrown;
        } finally {
          // The runner counts the time before there was room, too.
          t.diagnostic(`${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
        }
      });
    });
  }
});
