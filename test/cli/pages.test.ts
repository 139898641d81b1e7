// Pages of docs/reference that are written by hand and tell of what programs read: their examples run, and what they
// list is what there is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { VirtualClock } from '../../src/base/virtual-clock.ts';
import { CodedError, errorCatalogue } from '../../src/base/errors.ts';
import { exitStatuses } from '../../src/cli/exit.ts';
import { lookAtMachine } from '../../src/cli/look-at-machine.ts';
import { groupReport } from '../../src/cli/render/report.ts';
import { KernelModel } from '../../src/kernel/model/kernel-model.ts';
import { parseTopology } from '../../src/kernel/model/topology.ts';
import { deviceForm, topologyForm } from '../../src/kernel/model/topology-form.ts';
import { transcriptMachine } from '../play/machine.ts';
import { Player } from '../play/player.ts';
import { parseScript } from '../play/script.ts';
import { runCommand } from './run-command.ts';

const page = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../docs/reference', name), 'utf8');

/** Fenced blocks of one language, in order. */
function blocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(
    ([, block = '']) => block,
  );
}

test('every topology on its page loads, and the example shows what the page says of it', async () => {
  const machines = blocks(page('topology.md'), 'yaml').map((text) => parseTopology(text, 'page'));
  assert.equal(machines.length, 2);
  for (const machine of machines) assert.ok(machine.ok, JSON.stringify(machine));
  const example = machines[1];
  assert.ok(example?.ok);
  const clock = new VirtualClock();
  const kernel = new KernelModel({ spec: example.value, clock });
  const { node, looks } = await lookAtMachine(kernel, { clock, log: silentLog });
  const releasable = looks
    .map((look) => groupReport(node, look))
    .filter((group) => group.releasable)
    .map(({ leader, members }) => [leader, members.length]);
  assert.deepEqual(releasable, [['0000:01:00.0', 2]]);
  const disk = looks.find(({ uses }) => uses.some(({ kind }) => kind === 'RootDisk'));
  assert.equal(disk?.group.members.length, 1);
});

test('the topology page names every field of the form', () => {
  const text = page('topology.md');
  for (const form of [topologyForm, deviceForm]) {
    for (const field of Object.keys(form.shape)) {
      assert.match(text, new RegExp(`[\`{ ,]${field}[\`}:, ]`), `${field} is not on the page`);
    }
  }
});

/** The words of scripts, from the message about one that is none. */
function scriptWords(): readonly string[] {
  try {
    parseScript('bogus');
  } catch (thrown) {
    assert.ok(thrown instanceof CodedError);
    return (/commands are (.*)$/.exec(thrown.message)?.[1] ?? '').split(', ');
  }
  return assert.fail('"bogus" is a command');
}

test('the scripts page lists exactly the words there are, each with the form that its error names', () => {
  const forms = [...page('scripts.md').matchAll(/^\| `(\w+)([^`]*)` \|/gm)];
  assert.deepEqual(forms.map(([, word = '']) => word).sort(), [...scriptWords()].sort());
  for (const [, word = '', rest = ''] of forms) {
    if (rest === '' || word === 'sh' || word === 'host') continue;
    assert.throws(
      () => parseScript(word),
      (thrown: unknown) =>
        thrown instanceof CodedError && thrown.message.includes(`"${word}${rest}"`),
      `${word}${rest}`,
    );
  }
});

test('the script on its page prints what the page says', async () => {
  const [script = '', printed = ''] = blocks(page('scripts.md'), 'text');
  const lines: string[] = [];
  const player = new Player(transcriptMachine('6.12', 'acpi-hotplug'), (line) => lines.push(line));
  assert.ok(await player.play(parseScript(script)));
  assert.equal(`${lines.join('\n')}\n`, printed);
});

test('the exit codes page lists exactly the statuses there are', () => {
  const listed = [...page('exit-codes.md').matchAll(/^\| `(\d+)` \|/gm)].map(([, status]) =>
    Number(status),
  );
  const statuses = [
    ...Object.values(exitStatuses).map(({ status }) => status),
    ...Object.values(errorCatalogue).map(({ exitStatus }) => exitStatus),
  ];
  assert.deepEqual(
    listed,
    [...new Set<number>(statuses)].sort((a, b) => a - b),
  );
});

test('the commands page has every command with the help that it prints', async () => {
  const text = page('commands.md');
  const { out } = await runCommand(['--help']);
  const names = [...(out.split('\nCommands:\n')[1] ?? '').matchAll(/^ {2}(\w+)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help');
  assert.ok(names.length >= 5);
  for (const name of names) {
    const help = await runCommand([name, '--help']);
    assert.ok(
      text.includes(`## wholegroup ${name}\n\n\`\`\`text\n${help.out.trimEnd()}\n\`\`\``),
      name,
    );
  }
  assert.match(text, /^## wholegroup sim do$/m);
});
