// The demo as a newcomer starts it: real processes, real sockets, one simulated kernel.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');

function run(
  args: readonly string[],
): Promise<{ readonly status: number | null; readonly out: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'src/cli/main.ts'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString('utf8')));
    child.stderr.on('data', (data: Buffer) => (out += data.toString('utf8')));
    child.on('close', (status) => resolve({ status, out }));
  });
}

test('the demo tells its story through real processes and ends well', {
  timeout: 180_000,
}, async () => {
  const { status, out } = await run(['demo', '--once']);
  assert.equal(status, 0, out);
  const chapters = [
    'All 4 functions of group',
    'Insufficient example.com/hda-audio',
    'has a mounted file system',
    'Offered again',
    'router-1 runs',
    'router-0 runs',
    'kill -9',
    'store-0 runs',
    'Everything is as it was',
  ];
  let at = 0;
  for (const words of chapters) {
    const found = out.indexOf(words, at);
    assert.ok(found >= 0, `"${words}" comes in the story:\n${out}`);
    at = found;
  }
  assert.ok(!out.includes('\u001b['), 'plain when piped');
});
