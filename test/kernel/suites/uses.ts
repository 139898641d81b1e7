// Uses of real devices by a real Linux: each keeps its group from being released, with the right reason and the file
// that shows it; when the use ends the group is as it was before.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { display, type UseCase, useCases } from '../guest/use-cases.ts';
import type { UseResult } from '../guest/uses.ts';
import { accountOf, type Ended, runGuest } from '../rig/guest.ts';
import { textFile } from '../rig/initramfs.ts';
import { shapes } from '../rig/shapes.ts';
import { guestProgram } from './guest-program.ts';
import type { Suite } from './judgement.ts';
import { everywhere } from './setup.ts';

const kernels = ['6.1', '6.12', 'newest'] as const;
const deadlineMs = 600_000;
const kinds = (blockers: UseResult['before']): string[] =>
  [...new Set(blockers.map(({ kind }) => kind))].sort((a, b) => (a < b ? -1 : 1));
const addressOf = ({ name }: UseResult): string | undefined =>
  useCases.find((use) => use.name === name)?.address;
/** Each use is brought about on one kernel, in turn; all of them on all kernels take twenty minutes. */
const chosenOn = (name: (typeof kernels)[number]): readonly UseCase[] =>
  everywhere
    ? useCases
    : useCases.filter((_, index) => index % kernels.length === kernels.indexOf(name));

/** A result that came whole; each comes twice, for a message of the kernel may stand in the middle of one. */
function wholeResult(text: string): readonly UseResult[] {
  try {
    return [JSON.parse(text) as UseResult];
  } catch {
    return [];
  }
}

function judgeUse(result: UseResult | undefined, use: UseCase, ended: Ended): void {
  assert.ok(result !== undefined, accountOf(ended));
  assert.equal(result.cannotStart, null);
  const seen = result.during.find(({ kind }) => kind === use.kind);
  assert.ok(seen !== undefined, `seen: ${kinds(result.during).join(', ')}`);
  assert.ok(seen.evidence.path.startsWith('/'), JSON.stringify(seen.evidence));
  const atFirst = kinds(result.before);
  assert.equal(atFirst.includes(use.kind), use.sinceBoot === true, 'before the use');
  assert.deepEqual(
    kinds(result.after),
    atFirst.filter((kind) => kind !== use.kind),
  );
  assert.equal(result.cannotClaim, null);
}

async function judgeUses(
  t: TestContext,
  name: string,
  chosen: readonly UseCase[],
  ended: Ended,
): Promise<void> {
  const results = ended.lines
    .filter((line) => line.startsWith('@@CASE '))
    .flatMap((line) => wholeResult(line.slice('@@CASE '.length)));
  for (const use of chosen) {
    await t.test(`${name}: ${use.name} is seen as ${use.kind}, and its end too`, () =>
      judgeUse(
        results.find((each) => each.name === use.name),
        use,
        ended,
      ),
    );
  }
  await t.test(`${name}: the boot display is seen as BootDisplay`, () => {
    const always = results.filter((each) => addressOf(each) === display);
    const isTried = chosen.some(({ address }) => address === display);
    assert.equal(always.length > 0, isTried, accountOf(ended));
    for (const { after } of always) assert.ok(kinds(after).includes('BootDisplay'));
  });
}

/** The suite. */
export const uses: Suite = (rig) =>
  kernels.map((name) => ({
    kernel: name,
    title: 'every use',
    play: async (t, kernel) => {
      const chosen = chosenOn(name);
      const parts = chosen.map((use) => ` '${use.name}'`).join('');
      const main = textFile('job/main', `node /job/uses.mjs${parts}\n`);
      const job = [await guestProgram('uses.ts'), main];
      const ended = await runGuest({ rig, kernel, shape: shapes.agent, job, deadlineMs });
      await judgeUses(t, name, chosen, ended);
      assert.equal(ended.status, 0, `${accountOf(ended)}\n${ended.lines.slice(-5).join('\n')}`);
    },
  }));
