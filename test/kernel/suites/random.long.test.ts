// Random scripts on real kernels and on the model of each: whatever line differs is a bug of the model, or is named
// in docs/reference/kernel-suites.md with the reason why Linux itself does not fix it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { seededRandom } from '../../../src/base/random.ts';
import { comparable } from '../../play/comparable.ts';
import { randomScript } from '../../play/random-script.ts';
import { accountOf, runGuest } from '../rig/guest.ts';
import { textFile } from '../rig/initramfs.ts';
import { shapes } from '../rig/shapes.ts';
import type { KernelName } from '../rig/wanted.ts';
import { firstDifference } from './differing.ts';
import { linesOfModel, type ModelOf, models } from './on-model.ts';
import { askedScripts, askedSeed, kernelOf, onlyCore, sideBySide, suiteRig } from './setup.ts';

/** Steps of a script; scripts that run one behind the other on one boot; boots of a kernel. */
const steps = 20;
const scriptsPerBoot = onlyCore ? 6 : Math.min(25, askedScripts());
const boots = onlyCore ? 1 : Math.ceil(askedScripts() / scriptsPerBoot);
const firstSeed = askedSeed();
const deadlineMs = 400_000;
const how = { anySensor: true, anyRace: true };

const rig = await suiteRig();

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

describe('random scripts on real kernels and on the model', { concurrency: sideBySide }, () => {
  for (const model of models) {
    const name = model.kernel;
    for (let seed = firstSeed; seed < firstSeed + boots; seed++) {
      const title = `${name}: ${scriptsPerBoot} random scripts of seed ${seed} answer as the model does`;
      test(title, async (t) => {
        const kernel = kernelOf(rig, name);
        if (typeof kernel === 'string') return t.skip(kernel);
        const script = scriptOf(seed, model);
        const shape = shapes.transcripts;
        const job = [
          textFile('job/main', 'player -q /job/script\n'),
          textFile('job/script', script),
        ];
        const ended = await runGuest({ rig, kernel, shape, job, deadlineMs });
        const real = byScript(ended.lines);
        const expected = byScript(await linesOfModel(model, script));
        const crashed = ended.lines.some((line) => line === 'Segmentation fault');
        const differences = [...expected].flatMap(([part, lines]) => {
          const answered = real.get(part);
          // Linux stopped in its own BUG: what it did not come to is no difference.
          if (crashed && (answered === undefined || answered.includes('Segmentation fault'))) {
            return [];
          }
          const difference = firstDifference(
            comparable(answered ?? [], how),
            comparable(lines, how),
          );
          return difference === null ? [] : [`script ${part}: ${difference}`];
        });
        if (differences.length > 0) {
          const kept = join(rig.cache, `random-${name}-${seed}.txt`);
          writeFileSync(kept, ended.lines.join('\n'));
          assert.fail(
            `${differences.length} of ${expected.size} scripts differ (+ Linux, - model; all answers in ${kept})\n${differences.join('\n')}`,
          );
        }
        if (crashed)
          t.diagnostic(`Linux crashed in script ${[...real.keys()].at(-1)}: ${accountOf(ended)}`);
        else assert.equal(ended.status, 0, accountOf(ended));
      });
    }
  }
});
