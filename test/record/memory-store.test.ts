import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../src/base/errors.ts';
import {
  emptyRecordDisk,
  memoryRecordStore,
  type RecordFaultPoint,
} from '../../src/record/memory-store.ts';
import { recordStoreContract } from './contract.ts';
import { address, gpuRecord } from './records.ts';

recordStoreContract('memory record store', () => {
  const disk = emptyRecordDisk();
  return Promise.resolve({
    open: () => memoryRecordStore({ disk }),
    plant: (name: string, text: string) => Promise.resolve(void disk.files.set(name, text)),
    text: (name: string) => Promise.resolve(disk.files.get(name) ?? null),
  });
});

const refusedAt = (moment: RecordFaultPoint['moment']) => (point: RecordFaultPoint) =>
  point.operation !== 'load' && point.moment === moment ? ('refused' as const) : ('none' as const);

test('memory record store: a refused save throws WG_RECORD_WRITE_FAILED and the earlier record is in force', async () => {
  const disk = emptyRecordDisk();
  await memoryRecordStore({ disk }).save(gpuRecord());
  const store = memoryRecordStore({ disk, faults: refusedAt('before-durable') });
  const isWriteFailure = (thrown: unknown): boolean =>
    thrown instanceof CodedError &&
    thrown.code === 'WG_RECORD_WRITE_FAILED' &&
    thrown.cause !== undefined;
  await assert.rejects(store.save(gpuRecord('0000:65:00', { phase: 'Returning' })), isWriteFailure);
  await assert.rejects(store.remove(address('0000:65:00.0')), isWriteFailure);
  assert.deepEqual((await store.load()).records, [gpuRecord()]);
});

test('memory record store: a disk may also refuse after the new content is in force', async () => {
  const disk = emptyRecordDisk();
  await assert.rejects(
    memoryRecordStore({ disk, faults: refusedAt('after-durable') }).save(gpuRecord()),
  );
  assert.deepEqual((await memoryRecordStore({ disk }).load()).records, [gpuRecord()]);
});

test('memory record store: an agent stopped before or after durability never hears, the disk tells which it was', async () => {
  for (const moment of ['before-durable', 'after-durable'] as const) {
    const disk = emptyRecordDisk();
    const points: RecordFaultPoint[] = [];
    const store = memoryRecordStore({
      disk,
      faults: (point) => {
        points.push(point);
        return point.moment === moment ? 'stopped' : 'none';
      },
    });
    let heard = false;
    void store.save(gpuRecord()).finally(() => (heard = true));
    await new Promise(setImmediate);
    assert.equal(heard, false);
    assert.equal(disk.files.size, moment === 'before-durable' ? 0 : 1);
    assert.deepEqual(points.at(-1), { operation: 'save', leader: '0000:65:00.0', moment });
  }
});
