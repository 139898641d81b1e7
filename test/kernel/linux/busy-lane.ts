// A lane that computes for a while before each of its calls: as one that has to wait for a processor, it is silent and
// runnable, and blocked by nothing.
import { readSync, writeSync } from 'node:fs';
import { decodeBatch, encodeMessage, FrameReader } from '../../../src/kernel/linux/frames.ts';
import { perform } from '../../../src/kernel/linux/syscalls.ts';

const busyMs = 150;

function compute(): void {
  const untilMs = performance.now() + busyMs;
  while (performance.now() < untilMs) continue;
}

const reader = new FrameReader();
const chunk = Buffer.allocUnsafe(1 << 16);
writeSync(1, encodeMessage({ kind: 'hello' }));
for (let got = 1; got > 0; ) {
  got = readSync(0, chunk, 0, chunk.length, null);
  for (const { payload } of reader.push(chunk.subarray(0, got))) {
    for (const call of decodeBatch(payload).calls) {
      compute();
      writeSync(1, encodeMessage({ kind: 'answer', settled: perform(call) }));
    }
  }
}
