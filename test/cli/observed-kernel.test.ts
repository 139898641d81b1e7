// What a kernel does is counted as it happens.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observedKernel } from '../../src/cli/observed-kernel.ts';
import { bench, until } from '../kernel/remote/support.ts';

test('a call that hangs is counted until it is over', async (t) => {
  const { kernel, model } = await bench(t);
  const counts: number[] = [];
  const counted = observedKernel(kernel, {
    kernelPending: (calls) => counts.push(calls),
    hinted: () => undefined,
  });
  const path = '/sys/bus/pci/devices/0000:00:05.0/class';
  assert.equal((await counted.read(path)).kind, 'value');
  const fault = model.control.inject({ kind: 'read-hang', path });
  const first = await counted.read(path, { deadlineMs: 20 });
  const second = await counted.read(path, { deadlineMs: 20 });
  assert.deepEqual([first.kind, second.kind], ['pending', 'pending']);
  assert.deepEqual(counts, [1, 2]);
  fault.clear();
  await until(() => counts.length === 4, 'both calls to end');
  assert.deepEqual(counts, [1, 2, 1, 0]);
});

test('hints are counted by their source, and handed on', async (t) => {
  const { kernel, model } = await bench(t);
  const counted: string[] = [];
  const heard: string[] = [];
  const own = observedKernel(kernel, {
    kernelPending: () => undefined,
    hinted: (source) => counted.push(source),
  });
  const watching = own.changes(({ source }) => heard.push(source));
  await until(() => heard.length > 0, 'the first hint');
  await model.write('/sys/bus/pci/drivers/e1000/unbind', '0000:00:05.0');
  await until(() => heard.includes('uevent'), 'the hint of the unbind');
  assert.deepEqual(counted, heard);
  watching.close();
});
