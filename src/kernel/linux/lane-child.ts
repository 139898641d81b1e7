// A lane: a disposable process that makes one kernel call at a time for the agent, so that a call which never
// returns blocks this process and no thread of the agent. It ends when its channel closes: at once while idle,
// after the call has returned while blocked. It opens nothing that it keeps, and it is never sent a signal.
import { readSync, writeSync } from 'node:fs';
import {
  batchPatienceMs,
  decodeCalls,
  encodeMessage,
  FrameReader,
  type LaneMessage,
} from './frames.ts';
import { perform } from './syscalls.ts';

const requests = 0;
const answers = 1;

function say(message: LaneMessage): void {
  const bytes = encodeMessage(message);
  let sent = 0;
  try {
    while (sent < bytes.length) sent += writeSync(answers, bytes, sent);
  } catch {
    // EPIPE: the agent has gone, nobody waits for this answer or for any other.
    process.exit(0);
  }
}

function serve(): never {
  const reader = new FrameReader();
  const chunk = Buffer.allocUnsafe(1 << 16);
  say({ kind: 'hello' });
  for (;;) {
    const got = readSync(requests, chunk, 0, chunk.length, null);
    if (got === 0) process.exit(0);
    for (const { payload } of reader.push(chunk.subarray(0, got))) {
      let slow = false;
      for (const call of decodeCalls(payload)) {
        if (slow) {
          say({ kind: 'declined' });
          continue;
        }
        // oxlint-disable-next-line no-restricted-globals -- a process of its own: nobody can hand it a clock
        const beganMs = performance.now();
        say({ kind: 'answer', settled: perform(call) });
        // oxlint-disable-next-line no-restricted-globals -- as above
        slow = performance.now() - beganMs > batchPatienceMs;
      }
    }
  }
}

serve();
