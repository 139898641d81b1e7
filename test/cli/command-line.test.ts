// Flags, forms and exit statuses of the command line; and a few runs as a real process, as a person starts it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CodedError, errorCatalogue, type ErrorCode } from '../../src/base/errors.ts';
import { exitStatuses, failureOf } from '../../src/cli/exit.ts';
import { version } from '../../src/cli/version.ts';
import { type Ran, runCommand } from './run-command.ts';

/** Arguments → what standard error must name: the flag, and the form that is allowed. */
const wrong: readonly (readonly [args: readonly string[], says: readonly RegExp[]])[] = [
  [
    ['inspect', '-o', 'xml'],
    [/-o, --output/, /table, json, yaml/],
  ],
  [
    ['explain', '00:00.0', '--output', ''],
    [/-o, --output/, /table, json, yaml/],
  ],
  [
    ['inspect', '--kernel', 'unix:sim.sock'],
    [/--kernel "unix:sim\.sock"/, /unix:\/\/\/absolute\/path/],
  ],
  [['inspect', '--colour'], [/unknown option '--colour'/]],
  [
    ['inspect', '--export'],
    [/--export <file>/, /missing/],
  ],
  [['inspect', 'everything'], [/too many arguments/]],
  [['explain'], [/missing required argument 'address'/]],
  [
    ['explain', 'gpu'],
    [/address: "gpu"/, /dddd:bb:dd\.f/],
  ],
  [
    ['--log-level', 'loud', 'inspect'],
    [/--log-level/, /debug, info, warn, error/],
  ],
  [
    ['agent', '--delivery', 'post'],
    [/--delivery/, /cdi, device-nodes/],
  ],
  [
    ['agent', '--listen', 'everywhere'],
    [/--listen/, /ADDRESS:PORT/],
  ],
  [
    ['agent', '--node-label', 'gpu'],
    [/--node-label "gpu"/, /key=value/],
  ],
  [
    ['sim', '--profile', '2.6'],
    [/--profile/, /legacy, 6\.1, 6\.12, 7\.2/],
  ],
  [['sim', 'do'], [/missing required argument 'socket'/]],
  [['inspekt'], [/unknown command 'inspekt'/, /Did you mean inspect/]],
];

for (const [args, says] of wrong) {
  test(`wholegroup ${args.join(' ')} is refused, and the message names what and the allowed form`, async () => {
    const run = await runCommand(args);
    assert.equal(run.status, 64, run.err);
    assert.equal(run.out, '');
    for (const part of says) assert.match(run.err, part);
  });
}

test('a topology file that is not there or not of the form is status 65 and names the field', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-cli-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const absent = await runCommand(['inspect', '--kernel', join(folder, 'absent.yaml')]);
  assert.equal(absent.status, 65);
  assert.match(absent.err, /absent\.yaml: cannot be read: ENOENT/);
  const file = join(folder, 'machine.yaml');
  writeFileSync(file, 'topology: 1\ndevices:\n  0000:00:02.0: {id: 8086:100e, class: 20000}\n');
  const bad = await runCommand(['inspect', '--kernel', file]);
  assert.equal(bad.status, 65);
  assert.match(bad.err, /devices.*0000:00:02\.0.*class.*six lower-case hex digits/s);
});

test('a served model that is not there is status 69', async () => {
  const run = await runCommand(['inspect', '--kernel', 'unix:///run/no-such/sim.sock']);
  assert.equal(run.status, 69);
  assert.match(run.err, /^error WG_KERNEL_UNREACHABLE: .*\nStart `wholegroup sim/);
});

test('every coded error has a message for a person and the documented status', () => {
  for (const code of Object.keys(errorCatalogue) as ErrorCode[]) {
    const { status, text } = failureOf(new CodedError(code, 'what was wrong'));
    assert.equal(status, errorCatalogue[code].exitStatus);
    assert.equal(text, `error ${code}: what was wrong\n${errorCatalogue[code].remedy}\n`);
  }
  const bug = failureOf(new TypeError('x is not a function'));
  assert.equal(bug.status, 70);
  assert.match(bug.text, /^error WG_INTERNAL: TypeError: x is not a function\n\s+at /);
});

test('statuses that are answers and statuses of errors are apart', () => {
  const answers = Object.values(exitStatuses).map(({ status }) => status);
  const errors = Object.values(errorCatalogue).map(({ exitStatus }) => exitStatus);
  assert.equal(new Set(answers).size, answers.length);
  for (const status of answers) assert.ok(!(errors as number[]).includes(status), String(status));
});

test('--version and --help are answers; help names every command', async () => {
  assert.deepEqual(await runCommand(['--version']), { out: `${version}\n`, err: '', status: 0 });
  const help = await runCommand(['--help']);
  assert.equal(help.status, 0);
  for (const command of ['demo', 'inspect', 'explain', 'agent', 'sim'])
    assert.match(help.out, new RegExp(`^  ${command} `, 'm'));
  const of = await runCommand(['inspect', '--help']);
  assert.equal(of.status, 0);
  assert.match(of.out, /--export <file>/);
});

const main = join(import.meta.dirname, '../../src/cli/main.ts');

/** Runs the program itself; `closeAfter`: the reader goes away after so many bytes. */
function runProgram(args: readonly string[], closeAfter: number | null = null): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color' };
    const child = spawn(process.execPath, [main, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (closeAfter !== null && out.length >= closeAfter) child.stdout.destroy();
    });
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('error', reject);
    child.on('close', (status) => resolve({ out, err, status: status ?? -1 }));
  });
}

test('as a process: the same text and status as in process, without colours in a pipe', async () => {
  const args = ['explain', '0000:41:00.0', '--kernel', 'nvme-lvm'];
  const run = await runProgram(args);
  assert.deepEqual(run, await runCommand(args));
  assert.equal(run.status, 1);
});

test('as a process: an error goes to standard error, with its status', async () => {
  const run = await runProgram(['explain', 'gpu']);
  assert.deepEqual([run.status, run.out], [64, '']);
  assert.match(run.err, /^error WG_FLAG_INVALID: address: "gpu" is not a PCI address/);
});

test('as a process: a reader that has seen enough (| head) is no error', async () => {
  const run = await runProgram(['inspect', '--kernel', 'large-1000', '-o', 'json'], 100);
  assert.deepEqual([run.status, run.err], [0, '']);
});

test('as a process: inspect of the machine that this runs on ends with an answer', async () => {
  const run = await runProgram(['inspect']);
  assert.ok(
    [exitStatuses.ok.status, exitStatuses.noIommu.status].includes(run.status as 0 | 2),
    run.err,
  );
  assert.match(run.out, /^Kernel {16}\d+\.\d+/);
  const without = run.status === exitStatuses.noIommu.status;
  assert.equal(/No IOMMU is active on this machine.*Check with/s.test(run.out), without);
});
