// A lane: a disposable process that makes one kernel call at a time for the agent, so that a call which never
// returns blocks this process and no thread of the agent. It ends when its channel closes: at once while idle,
// after the call has returned while blocked. It opens nothing that it keeps, and it is never sent a signal.
import { closeSync, readdirSync, readlinkSync, readSync, writeSync } from 'node:fs';
import {
  batchPatienceMs,
  decodeBatch,
  encodeMessage,
  FrameReader,
  type LaneMessage,
  machineMs,
  startPatienceMs,
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

/**
 * Closes files and devices that came down from whoever started the agent: Node marks only its low descriptors
 * close-on-exec, and an unbind waits for every descriptor on the device, an inherited one of its own caller too.
 */
function dropInherited(): void {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      if (fd > 2 && /^\/|vfio|iommu/.test(target)) closeSync(fd);
    } catch {
      // The descriptor of the listing itself: closed by now.
    }
  }
}

function serve(): never {
  dropInherited();
  const reader = new FrameReader();
  const chunk = Buffer.allocUnsafe(1 << 16);
  let lastSaidMs = machineMs();
  say({ kind: 'hello' });
  for (;;) {
    const got = readSync(requests, chunk, 0, chunk.length, null);
    if (got === 0) process.exit(0);
    for (const { payload } of reader.push(chunk.subarray(0, got)))
      lastSaidMs = make(payload, lastSaidMs);
  }
}

/**
 * Makes the calls of a batch; when the lane last said something. What it said counts from before it was sent to after
 * it was sent: the longest silence that the agent can have seen.
 */
function make(payload: Uint8Array, saidMs: number): number {
  const { givenMs, calls } = decodeBatch(payload);
  let signMs = Math.max(givenMs, saidMs);
  // The first call is never given to others, however late this is.
  let late = saidMs - givenMs > startPatienceMs;
  for (const [index, call] of calls.entries()) {
    const message: LaneMessage =
      late && index > 0 ? { kind: 'declined' } : { kind: 'answer', settled: perform(call) };
    const beforeMs = machineMs();
    say(message);
    late ||= machineMs() - signMs > batchPatienceMs;
    signMs = beforeMs;
  }
  return signMs;
}

serve();
