// The recorded scripts, played on the model: every result line and every event line as the real kernels
// gave them. test/play/comparable.ts says what is not compared; test/kernel/suites plays the same on real kernels.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelProfile } from '../../../src/kernel/model/spec.ts';
import { comparable } from '../../play/comparable.ts';
import { transcriptMachine, type Variant } from '../../play/machine.ts';
import { Player } from '../../play/player.ts';
import { recordedAnswers, recordings, scriptText } from '../../play/recordings.ts';
import { parseScript } from '../../play/script.ts';

const profiles: Readonly<Record<string, KernelProfile>> = {
  '61': '6.1',
  '612': '6.12',
  '612c': '6.12',
  '72': '7.2',
  '510': 'legacy',
};

/** Scripts that begin with c were played on a kernel with iommufd. */
function variantOf(script: string): Variant {
  if (script.startsWith('c')) return 'cdev';
  return script === 's5' ? 'shpc' : 'acpi-hotplug';
}

async function play(script: string, profile: KernelProfile): Promise<string[]> {
  const variant = variantOf(script);
  const lines: string[] = [];
  const player = new Player(transcriptMachine(profile, variant), (line) => lines.push(line));
  assert.equal(await player.play(parseScript(scriptText(script))), true);
  return lines;
}

for (const recording of recordings()) {
  const { file, kernel, script } = recording;
  const profile = profiles[kernel];
  test(`${script} on ${kernel} answers line for line as the real kernel did`, async () => {
    assert.ok(profile !== undefined, `no profile for ${file}`);
    // Random scripts that once differed: what else goes on meanwhile is not fixed.
    const isRandom = /^[rc]/.test(script);
    const how = { anySensor: isRandom || script.startsWith('m'), anyRace: isRandom };
    const expected = recordedAnswers(recording, how);
    assert.ok(expected.length > 10, 'the recording has lines');
    assert.deepEqual(comparable(await play(script, profile), how), expected);
  });
}
