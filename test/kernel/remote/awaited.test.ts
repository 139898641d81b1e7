// A simulated kernel and its agent may be started together: whoever connects may wait for the socket.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connectKernel } from '../../../src/kernel/remote/remote-kernel.ts';
import { realClock } from '../../../src/observe/real-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'wholegroup-awaited-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a socket that is not there is waited for as long as was said, and no longer', async () => {
  const startedMs = performance.now();
  const connecting = connectKernel(join(folder, 'never.sock'), realClock(), 250);
  await assert.rejects(connecting, { code: 'WG_KERNEL_UNREACHABLE' });
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs >= 250 && tookMs < 2000, `it took ${tookMs} ms`);
});

test('a socket that appears while it is waited for is connected to', async () => {
  const path = join(folder, 'late.sock');
  const server = createServer((socket) => socket.on('error', () => undefined).destroy());
  const timer = setTimeout(() => server.listen(path), 150);
  try {
    // It is there, and no kernel: so the wait was over.
    const connecting = connectKernel(path, realClock(), 10_000);
    await assert.rejects(connecting, /WG_KERNEL_UNREACHABLE|no answer|UNAVAILABLE/);
    assert.ok(server.listening);
  } finally {
    clearTimeout(timer);
    server.close();
  }
});
