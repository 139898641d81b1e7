import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CodedError } from '../../src/base/errors.ts';
import { silentLog } from '../../src/base/log.ts';
import { type FileCalls, realFileCalls } from '../../src/record/durable-file.ts';
import { fileRecordStore } from '../../src/record/file-store.ts';
import { encodeRecord } from '../../src/record/format.ts';
import type { RecordStore } from '../../src/record/store.ts';
import { recordStoreContract } from './contract.ts';
import { address, gpuRecord, writeFailure } from './records.ts';

const base = await mkdtemp(join(tmpdir(), 'wholegroup-record-'));
after(() => rm(base, { recursive: true, force: true }));
let folders = 0;
const newDir = (): string => join(base, `records-${folders++}`);
const open = (dir: string, calls?: FileCalls): RecordStore =>
  fileRecordStore({ dir, log: silentLog, ...(calls === undefined ? {} : { calls }) });
const file = '0000-65-00-0.json';
const leader = address('0000:65:00.0');

recordStoreContract('file record store', () => {
  const dir = newDir();
  return Promise.resolve({
    open: () => open(dir),
    plant: (name: string, text: string) => writeFile(join(dir, name), text),
    text: (name: string) => readFile(join(dir, name), 'utf8').catch(() => null),
  });
});

async function prepared(): Promise<{ dir: string; store: RecordStore }> {
  const dir = newDir();
  const store = open(dir);
  await store.load();
  await store.save(gpuRecord());
  return { dir, store };
}

test('file record store: folder and files are closed to everybody else', async () => {
  const { dir } = await prepared();
  await writeFile(join(dir, 'foreign.json'), '{}');
  await open(dir).load();
  assert.equal((await stat(dir)).mode & 0o777, 0o700);
  assert.equal((await stat(join(dir, file))).mode & 0o777, 0o600);
  assert.equal((await stat(join(dir, 'quarantine'))).mode & 0o777, 0o700);
});

test('file record store: a folder that cannot be made or listed ends the start with WG_RECORD_DIR_UNUSABLE', async () => {
  const path = join(base, 'a-file');
  await writeFile(path, '');
  for (const dir of [path, join(path, 'below')]) {
    await assert.rejects(
      open(dir).load(),
      (thrown) => thrown instanceof CodedError && thrown.code === 'WG_RECORD_DIR_UNUSABLE',
    );
  }
});

test('file record store: what a killed writer left beside a record is dropped, the record stays', async () => {
  const { dir } = await prepared();
  await writeFile(
    join(dir, `.${file}.new`),
    encodeRecord(gpuRecord('0000:65:00', { phase: 'Returning' })).slice(0, 99),
  );
  assert.deepEqual(await open(dir).load(), { records: [gpuRecord()], quarantined: [] });
  assert.deepEqual(await readdir(dir), [file]);
});

test("file record store: a stranger's .json is quarantined without a leader, other names are left alone", async () => {
  const { dir } = await prepared();
  await writeFile(join(dir, 'notes.json'), '{"format":"notes"}');
  await writeFile(join(dir, 'README'), 'x');
  await mkdir(join(dir, 'lost+found'));
  const { records, quarantined } = await open(dir).load();
  assert.equal(records.length, 1);
  assert.deepEqual(
    quarantined.map((each) => [each.path, each.leader]),
    [[join(dir, 'quarantine', 'notes.json'), null]],
  );
  assert.deepEqual(
    (await readdir(dir)).sort(),
    [file, 'README', 'lost+found', 'quarantine'].sort(),
  );
});

const unreadable: Record<string, [make: (path: string) => Promise<unknown>, why: RegExp]> = {
  'a link': [(path) => symlink('/etc/passwd', path), /ELOOP/],
  'a folder': [(path) => mkdir(path), /not a regular file/],
  'a pipe': [(path) => Promise.resolve(spawnSync('mkfifo', [path])), /not a regular file/],
  'a huge file': [
    (path) => writeFile(path, '').then(() => truncate(path, 5_000_000_000)),
    /has 5000000000 bytes/,
  ],
  'a text that is not UTF-8': [
    (path) => writeFile(path, Buffer.from([0x7b, 0xff, 0xfe])),
    /not valid|encoded data/,
  ],
};

for (const [what, [make, why]] of Object.entries(unreadable)) {
  test(`file record store: ${what} under a record's name is put aside unopened or unread, and reported again`, async () => {
    const { dir } = await prepared();
    await rm(join(dir, file));
    await make(join(dir, file));
    for (let start = 0; start < 2; start++) {
      const { records, quarantined } = await open(dir).load();
      assert.deepEqual(records, []);
      assert.deepEqual(
        quarantined.map((each) => each.leader),
        [leader],
      );
      assert.match(quarantined[0]?.why ?? '', why);
    }
    assert.deepEqual(await readdir(join(dir, 'quarantine')), [file]);
  });
}

test('file record store: an unusable file that cannot be moved is reported and not overwritten', async () => {
  const { dir } = await prepared();
  await writeFile(join(dir, file), 'damaged');
  await writeFile(join(dir, 'quarantine'), 'a file where the folder should be');
  const store = open(dir);
  await assert.rejects(
    store.load(),
    (thrown) => thrown instanceof CodedError && thrown.code === 'WG_RECORD_DIR_UNUSABLE',
  );
  await assert.rejects(
    store.save(gpuRecord()),
    /an unusable file is in its place: the text is not JSON/,
  );
  assert.equal(await readFile(join(dir, file), 'utf8'), 'damaged');
});

test('file record store: a quarantined file that is readable again says what to do with it', async () => {
  const { dir } = await prepared();
  await mkdir(join(dir, 'quarantine'));
  await writeFile(join(dir, 'quarantine', `${file}.3`), encodeRecord(gpuRecord()));
  const { quarantined } = await open(dir).load();
  assert.match(quarantined[0]?.why ?? '', /readable now: move it back or delete it/);
});

/** The real calls, with one of them failing from the `nth` call on. */
function failing(which: keyof FileCalls, errno: string, nth = 1): FileCalls {
  let calls = 0;
  const fail = (): Promise<never> =>
    Promise.reject(Object.assign(new Error(`${errno}: ${which}`), { code: errno }));
  const pass = realFileCalls[which] as (...args: unknown[]) => Promise<never>;
  return {
    ...realFileCalls,
    [which]: (...args: unknown[]) => (++calls >= nth ? fail() : pass(...args)),
  };
}

for (const [which, errno] of [
  ['open', 'EROFS'],
  ['open', 'ENOSPC'],
  ['open', 'EACCES'],
  ['rename', 'EIO'],
  ['syncFolder', 'EIO'],
] as const) {
  test(`file record store: when ${which} fails with ${errno} the earlier record is in force and nothing lies beside it`, async () => {
    const { dir } = await prepared();
    const store = open(dir, failing(which, errno));
    await assert.rejects(
      store.save(gpuRecord('0000:65:00', { phase: 'Returning' })),
      writeFailure(errno),
    );
    assert.deepEqual(await readdir(dir), [file]);
    assert.deepEqual((await open(dir).load()).records, [gpuRecord()]);
  });
}

test('file record store: a first save whose folder cannot be synced leaves no record', async () => {
  const dir = newDir();
  await open(dir).load();
  await assert.rejects(
    open(dir, failing('syncFolder', 'EIO')).save(gpuRecord()),
    writeFailure('EIO'),
  );
  assert.deepEqual(await readdir(dir), []);
});

test('file record store: a remove whose folder cannot be synced puts the record back', async () => {
  const { dir } = await prepared();
  await assert.rejects(open(dir, failing('syncFolder', 'EIO')).remove(leader), writeFailure('EIO'));
  assert.deepEqual((await open(dir).load()).records, [gpuRecord()]);
});

test('file record store: after a failed save the store works again as soon as the disk does', async () => {
  const { dir } = await prepared();
  let bad = true;
  const calls: FileCalls = {
    ...realFileCalls,
    rename: (from, to) => (bad ? Promise.reject(new Error('EIO')) : realFileCalls.rename(from, to)),
  };
  const store = open(dir, calls);
  const next = gpuRecord('0000:65:00', { phase: 'Returning' });
  await assert.rejects(store.save(next));
  bad = false;
  await store.save(next);
  assert.deepEqual((await open(dir).load()).records, [next]);
});

test('file record store: file and folder are synced before a save resolves, in that order', async () => {
  const { dir } = await prepared();
  const seen: string[] = [];
  const calls: FileCalls = {
    open: async (path, flags, mode) => {
      const handle = await realFileCalls.open(path, flags, mode);
      const sync = handle.sync.bind(handle);
      handle.sync = () => sync().then(() => void seen.push('file synced'));
      return handle;
    },
    rename: (from, to) => realFileCalls.rename(from, to).then(() => void seen.push('renamed')),
    unlink: (path) => realFileCalls.unlink(path),
    syncFolder: (path) =>
      realFileCalls.syncFolder(path).then(() => void seen.push('folder synced')),
  };
  await open(dir, calls).save(gpuRecord());
  assert.deepEqual(seen, ['file synced', 'renamed', 'folder synced']);
});
