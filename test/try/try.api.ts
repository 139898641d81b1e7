// docs/try-the-api-side.md word for word: every command of it is run, in its order, by a shell. What it promises is seen
// by its own waits; here only that nothing fails, and a few words of what is printed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startTryCluster, type TryCluster } from './cluster.ts';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs/try-the-api-side.md'), 'utf8');

let cluster: TryCluster;
before(async () => {
  cluster = await startTryCluster(() => undefined);
});
after(async () => await cluster[Symbol.asyncDispose]());

interface Ran {
  readonly status: number;
  readonly output: string;
}

async function shell(command: string): Promise<Ran> {
  const env = { ...process.env, ...cluster.environment };
  const child = spawn('sh', ['-c', command], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 128));
  });
  return { status, output };
}

const commands = [...page.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);

/** Of the commands that answer a question with 1: their reasons were printed. */
const answersNo = [
  'kubectl wholegroup explain worker-1/03:00.0',
  'kubectl wholegroup explain second',
  'kubectl wholegroup explain worker-1/01:00.0',
];

const promises: Readonly<Record<string, RegExp>> = {
  'kubectl wholegroup tree': /0000:01:00\.0 +group 10 +nvidia.com\/AD102/,
  'kubectl wholegroup explain worker-1/03:00.0': /NetworkDefaultRoute/,
  'kubectl wholegroup explain train': /It has one group, as it asks\./,
  'kubectl wholegroup tree worker-1': /Assigned +default\/train for/,
  'kubectl wholegroup explain second': /1 with pods: default\/train/,
  'kubectl wholegroup history worker-1/01:00.0': /GroupReturned/,
  'kubectl wholegroup explain worker-1/01:00.0': /SoundInUse/,
  'kubectl wholegroup tree worker-2': /blocked: Cordoned/,
};

test('the page has commands, and every promise is about one of them', () => {
  assert.ok(commands.length > 20);
  for (const command of [...answersNo, ...Object.keys(promises)])
    assert.ok(commands.includes(command), command);
});

for (const command of commands) {
  test(command, async () => {
    const { status, output } = await shell(command);
    assert.equal(status, answersNo.includes(command) ? 1 : 0, output);
    assert.match(output, promises[command] ?? /./);
  });
}
