// A LinuxKernel over folders on disk, for the tests of kernel/linux.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Outcome } from '../../../src/kernel/fs.ts';
import { LanePool } from '../../../src/kernel/linux/lane-pool.ts';
import type { LaneLimits } from '../../../src/kernel/linux/wanted.ts';
import { laneEntryUnbuilt, LinuxKernel } from '../../../src/kernel/linux/linux-kernel.ts';
import { eventually, realClock, recordingLog, scratchFolder } from './support.ts';

/** A lane run unbuilt. */
const program = { execPath: process.execPath, entry: laneEntryUnbuilt };

/** A LinuxKernel over an empty machine on disk, with lanes of its own; all ended with the test. */
export function machine(t: TestContext, limits: Partial<LaneLimits> = {}) {
  const folder = scratchFolder(t);
  const log = recordingLog();
  const lanes = new LanePool({ clock: realClock, log, program, limits });
  const roots = {
    sysfs: join(folder, 'sys'),
    proc: join(folder, 'proc'),
    dev: join(folder, 'dev'),
    run: join(folder, 'run'),
  };
  for (const root of Object.values(roots)) mkdirSync(root);
  const kernel = new LinuxKernel({ clock: realClock, log, lanes, roots, udevadm: null });
  t.after(async () => {
    kernel.close();
    lanes.close();
    await eventually('no lane is left behind', () => lanes.lanePids.length === 0, 2000);
  });
  return { folder, log, lanes, kernel, roots };
}

/** The value of an outcome that must have one. */
export function value<T>(outcome: Outcome<T>): T {
  assert.equal(outcome.kind, 'value', JSON.stringify(outcome));
  return (outcome as { value: T }).value;
}

/** Bytes as text. */
export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
