// A machine whose writes do something, for the tests of single steps: plain files lack exactly that.
import assert from 'node:assert/strict';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executeStep } from '../../src/host/execute.ts';
import type { CallOptions, KernelFs, Outcome } from '../../src/kernel/fs.ts';
import type { Step, StepOutcome } from '../../src/ownership/step.ts';
import { at, type TestMachine } from './machine.ts';

export const nic = at('0000:02:00.0');
export const device = `/sys/bus/pci/devices/${nic}`;

/**
 * The machine's kernel with the one thing that plain files lack: what a write does. `answers` is called with each
 * write; what it returns is the kernel's answer, undefined stands for "taken whole".
 */
export function acting(
  machine: TestMachine,
  answers: (path: string, data: string) => string | undefined,
): { kernel: KernelFs; writes: string[] } {
  const writes: string[] = [];
  const { kernel: real } = machine;
  const kernel: KernelFs = {
    read: (path, options) => real.read(path, options),
    list: (path, options) => real.list(path, options),
    readLink: (path, options) => real.readLink(path, options),
    readLinks: (path, options) => real.readLinks(path, options),
    exists: (path, options) => real.exists(path, options),
    changes: (listener) => real.changes(listener),
    write: (path: string, data: string, _options?: CallOptions): Promise<Outcome<number>> => {
      writes.push(`${path} ${JSON.stringify(data)}`);
      const errno = answers(path, data);
      return Promise.resolve(
        errno === undefined ? { kind: 'value', value: data.length } : { kind: 'errno', errno },
      );
    },
  };
  return { kernel, writes };
}

/** Binds the NIC to a driver, or to none, as the kernel would show it. */
export function rebind(machine: TestMachine, driver: string | null): void {
  const folder = join(machine.folder, 'sys/bus/pci/devices', nic);
  rmSync(join(folder, 'driver'), { force: true });
  writeFileSync(join(folder, 'uevent'), driver === null ? '' : `DRIVER=${driver}\n`);
  if (driver !== null) symlinkSync(`../../../bus/pci/drivers/${driver}`, join(folder, 'driver'));
}

/** What driver_override of the NIC then says. */
export function setOverride(machine: TestMachine, text: string): void {
  writeFileSync(join(machine.folder, 'sys/bus/pci/devices', nic, 'driver_override'), `${text}\n`);
}

/** Executes one step. */
export function run(kernel: KernelFs, step: Step): Promise<StepOutcome> {
  return executeStep(kernel, step, 300);
}

/** The message of an outcome that must be a failure. */
export function message(outcome: StepOutcome): string {
  assert.equal(outcome.kind, 'failed', JSON.stringify(outcome));
  return outcome.kind === 'failed' ? outcome.message : '';
}
