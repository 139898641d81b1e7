// Child of real-disk.test.ts: gives up root, tries to save into the folder given, prints what came of it.
import { CodedError } from '../../src/base/errors.ts';
import { silentLog } from '../../src/base/log.ts';
import { fileRecordStore } from '../../src/record/file-store.ts';
import { gpuRecord } from './records.ts';

if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(65_534);
  process.setuid?.(65_534);
}
const store = fileRecordStore({ dir: process.argv[2] ?? '', log: silentLog });
const outcome = await store.save(gpuRecord('0000:65:00', { phase: 'Returning' })).then(
  () => 'saved',
  (thrown: unknown) =>
    thrown instanceof CodedError
      ? `${thrown.code} ${(thrown.cause as NodeJS.ErrnoException).code}`
      : String(thrown),
);
console.log(outcome);
