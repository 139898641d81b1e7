// Waiting for what a server does in its own time.
import assert from 'node:assert/strict';

/** Asks until the answer is yes; fails after 20 seconds. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`${what}: not within 20 s`);
}
