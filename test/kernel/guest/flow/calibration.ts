// How slow a guest is: the same work here and there, so that a limit meant for a machine can be held in a guest.
const turns = 5;
const textsPerTurn = 2000;

/** The least time, in milliseconds, that a fixed piece of JavaScript takes here. */
export function calibrationMs(): number {
  const record = { address: '0000:01:00.0', members: ['0000:01:00.0', '0000:01:00.1'], phase: 1 };
  let leastMs = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < turns; turn++) {
    const startedMs = performance.now();
    for (let n = 0; n < textsPerTurn; n++) JSON.parse(JSON.stringify({ ...record, n }));
    leastMs = Math.min(leastMs, performance.now() - startedMs);
  }
  return leastMs;
}

/** Where the guest is told how long it takes on the machine outside. */
export const nativeFile = '/job/native-ms';
