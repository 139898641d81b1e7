// Waiting for what a cluster comes to: asked again and again until an answer fits, or told what it was at the end.
import assert from 'node:assert/strict';

/** Variable that says how many times slower than a machine the nodes of a run are: those in a guest are. */
export const slownessVariable = 'WHOLEGROUP_SLOWNESS';

const slowness = Number(process.env[slownessVariable] ?? 1);

/** How long something may take in a scenario unless it says so itself: it takes a second or two on an idle machine. */
export const usualMs = 60_000 * slowness;
/** A look costs a slow node too: logs, lists and scripts, one right after the other, would keep it from what is waited for. */
const againMs = slowness > 1 ? 100 * slowness : 50;

/** Returns when `look` gives something; fails with `what` and the last state that `tell` gives. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null>,
  { limitMs = usualMs, tell }: { limitMs?: number; tell?: () => Promise<string> } = {},
): Promise<T> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > endMs) {
      assert.fail(
        `${what}: not within ${limitMs / 1000} s${tell === undefined ? '' : `\n${await tell()}`}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}

/** Looks for `forMs` and fails as soon as `holds` is not true. */
export async function stays(
  what: string,
  forMs: number,
  holds: () => Promise<boolean>,
  everyMs = againMs,
): Promise<void> {
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) {
    assert(await holds(), `${what}: not any more`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
