// The recorded scripts, played on the model: every result line and every event line as the real kernels
// gave them.
//
// What is not compared, because Linux itself does not fix it:
// - durations (`~50ms`);
// - in the m… scripts, the number of a temperature sensor: both NVMe controllers start side by side at boot;
// - the order of child processes' lines among themselves while nothing else is printed (who of two that
//   become runnable prints first), and the empty line that ends what a child read;
// - what a shell prints that uses more than the little shell knows (one line: dd | tr, cat, $?);
// - the monitor's echo, the kernel log and the elapsed time that the recording appended.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { KernelProfile } from '../../../src/kernel/model/spec.ts';
import { transcriptMachine } from '../../play/machine.ts';
import { Player } from '../../play/player.ts';
import { parseScript } from '../../play/script.ts';

const folder = new URL('../../data/transcripts/', import.meta.url);
const profiles: Readonly<Record<string, KernelProfile>> = {
  '61': '6.1',
  '612': '6.12',
  '72': '7.2',
  '510': 'legacy',
};

const text = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

const isAsync = (line: string): boolean => line.startsWith('   [async ');
/** Lines that a child's read text may leave behind after its first one. */
const isLeftOver = (line: string): boolean => line === '';

/** Lines of a run without what Linux does not fix. */
function comparable(lines: readonly string[], sensor: RegExp): string[] {
  const kept: string[] = [];
  let concurrent: string[] = [];
  let shellIsSkipped = false;
  const flush = (): void => {
    kept.push(...concurrent.sort());
    concurrent = [];
  };
  for (const raw of lines) {
    if (raw.startsWith('@@DMESG')) break;
    if (raw.startsWith('   [mon]') || /^\[ +\d+\.\d+\]/.test(raw) || isLeftOver(raw)) continue;
    if (raw.startsWith('> ')) shellIsSkipped = raw.startsWith('> sh dd ');
    else if (shellIsSkipped) continue;
    const line = raw.replace(/~\d+ms/, '~Nms').replace(sensor, 'hwmonN');
    if (isAsync(line)) concurrent.push(line);
    else {
      flush();
      kept.push(line);
    }
  }
  flush();
  return kept.filter((line) => line !== '@@DONE');
}

async function play(script: string, profile: KernelProfile): Promise<string[]> {
  const variant = script === 's5' ? 'shpc' : 'acpi-hotplug';
  const lines: string[] = [];
  const player = new Player(transcriptMachine(profile, variant), (line) => lines.push(line));
  assert.equal(await player.play(parseScript(text(`${script}.txt`))), true);
  return lines;
}

for (const name of readdirSync(folder).filter((file) => file.startsWith('out_'))) {
  const [, kernel = '', script = ''] = /^out_(\d+)_([a-z]+\d+)/.exec(name) ?? [];
  const profile = profiles[kernel];
  test(`${script} on ${kernel} answers line for line as the real kernel did`, async () => {
    assert.ok(profile !== undefined, `no profile for ${name}`);
    const sensor = script.startsWith('m') ? /hwmon\d+/ : /$^/;
    const expected = comparable(text(name).replaceAll('\r', '').split('\n'), sensor);
    assert.ok(expected.length > 10, 'the recording has lines');
    assert.deepEqual(comparable(await play(script, profile), sensor), expected);
  });
}
