// Random scripts on real kernels and on the model of each: whatever line differs is a bug of the model, or is named
// in docs/reference/kernel-suites.md with the reason why Linux itself does not fix it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { seededRandom } from '../../../src/base/random.ts';
import { comparable } from '../../play/comparable.ts';
import { randomScript } from '../../play/random-script.ts';
import { accountOf, type Ended, runGuest } from '../rig/guest.ts';
import { textFile } from '../rig/initramfs.ts';
import type { KernelTree, Rig } from '../rig/rig.ts';
import { shapes } from '../rig/shapes.ts';
import type { KernelName } from '../rig/wanted.ts';
import { firstDifference } from './differing.ts';
import { linesOfModel, type ModelOf, models } from './on-model.ts';
import type { Suite } from './judgement.ts';
import { askedScripts, askedSeed, onlyCore } from './setup.ts';

/** Steps of a script; scripts that run one behind the other on one boot; boots of a kernel. */
const steps = 20;
const scriptsPerBoot = onlyCore ? 4 : Math.min(25, askedScripts());
const boots = onlyCore ? 1 : Math.ceil(askedScripts() / scriptsPerBoot);
const firstSeed = askedSeed();
const deadlineMs = 400_000;
const how = { anySensor: true, anyRace: true };
/** What the player's shell says when Linux kills it. */
const crash = 'Segmentation fault';

/**
 * Linux 6.1 stops in a BUG of its own when a group below a bridge is let go after a card was plugged and unplugged there
 * (docs/reference/kernel-suites.md): its cards go elsewhere, or little of a boot would be compared.
 */
const plugsInto = (name: KernelName): 'bridge' | 'port' => (name === '6.1' ? 'port' : 'bridge');

function scriptOf(seed: number, { kernel, variant }: ModelOf): string {
  const iommufd = variant === 'cdev';
  const random = seededRandom(seed);
  const parts = Array.from({ length: scriptsPerBoot }, (_, i) => {
    const prefix = `${seed}-${i}`;
    return randomScript(random.fork(`script ${seed} ${i}`), {
      steps,
      prefix,
      iommufd,
      plugsInto: plugsInto(kernel),
    });
  });
  return `${parts.flat().join('\n')}\n`;
}

/** Lines of each script by its name. */
function byScript(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const parts = new Map<string, string[]>();
  let part: string[] = [];
  for (const line of lines) {
    const name = /^> sh echo "--- script (\S+)"$/.exec(line)?.[1];
    if (name !== undefined) parts.set(name, (part = []));
    part.push(line);
  }
  return parts;
}

/** What differs, script by script. Where Linux stopped in its own BUG, what it did not come to is no difference. */
function differencesOf(
  real: ReadonlyMap<string, readonly string[]>,
  expected: ReadonlyMap<string, readonly string[]>,
  crashed: boolean,
): readonly string[] {
  return [...expected].flatMap(([part, lines]) => {
    const answered = real.get(part);
    if (crashed && (answered === undefined || answered.includes(crash))) return [];
    const difference = firstDifference(comparable(answered ?? [], how), comparable(lines, how));
    return difference === null ? [] : [`script ${part}: ${difference}`];
  });
}

async function onLinux(rig: Rig, kernel: KernelTree, script: string): Promise<Ended> {
  const job = [textFile('job/main', 'player -q /job/script\n'), textFile('job/script', script)];
  return runGuest({ rig, kernel, shape: shapes.transcripts, job, deadlineMs });
}

/** Holds the answers of a guest to the model's; keeps them where they differ. */
function judge(t: TestContext, ended: Ended, lines: readonly string[], kept: string): void {
  const real = byScript(ended.lines);
  const expected = byScript(lines);
  const crashed = ended.lines.includes(crash);
  const differences = differencesOf(real, expected, crashed);
  if (differences.length > 0) {
    writeFileSync(kept, ended.lines.join('\n'));
    assert.fail(
      `${differences.length} of ${expected.size} scripts differ (+ Linux, - model; all answers in ${kept})\n${differences.join('\n')}`,
    );
  }
  if (crashed)
    t.diagnostic(`Linux crashed in script ${[...real.keys()].at(-1)}: ${accountOf(ended)}`);
  else assert.equal(ended.status, 0, accountOf(ended));
}

/** The suite. */
export const random: Suite = (rig) =>
  models.flatMap((model) =>
    Array.from({ length: boots }, (_, boot) => {
      const name = model.kernel;
      const seed = firstSeed + boot;
      return {
        kernel: name,
        title: `${scriptsPerBoot} random scripts of seed ${seed} answer as the model does`,
        play: async (t: TestContext, kernel: KernelTree) => {
          const script = scriptOf(seed, model);
          const ended = await onLinux(rig, kernel, script);
          const kept = join(rig.cache, `random-${name}-${seed}.txt`);
          judge(t, ended, await linesOfModel(model, script), kept);
        },
      };
    }),
  );
