import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { fileRecordStore } from '../../src/record/file-store.ts';
import { encodeRecord } from '../../src/record/format.ts';
import type { RecordStore } from '../../src/record/store.ts';
import { address, gpuRecord, writeFailure } from './records.ts';

const base = await mkdtemp(join(tmpdir(), 'wholegroup-disk-'));
after(() => rm(base, { recursive: true, force: true }));
let folders = 0;
const newDir = (): string => join(base, `records-${folders++}`);
const open = (dir: string): RecordStore => fileRecordStore({ dir, log: silentLog });
const file = '0000-65-00-0.json';
const leader = address('0000:65:00.0');

/** Mounts a small tmpfs for real, or says why this machine cannot. */
function mountTmpfs(dir: string, options: string): string | null {
  if (process.getuid?.() !== 0) return 'not root: a small file system cannot be mounted';
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir], {
    encoding: 'utf8',
  });
  return mounted.status === 0 ? null : `mount -t tmpfs failed: ${mounted.stderr ?? mounted.error}`;
}

async function withTmpfs(
  options: string,
  run: (dir: string) => Promise<void>,
): Promise<string | null> {
  const dir = newDir();
  await mkdir(dir);
  const refused = mountTmpfs(dir, options);
  if (refused !== null) return refused;
  try {
    await run(dir);
  } finally {
    spawnSync('umount', ['-l', dir]);
  }
  return null;
}

async function preparedDir(): Promise<string> {
  const dir = newDir();
  const store = open(dir);
  await store.load();
  await store.save(gpuRecord());
  return dir;
}

/** A record of many members: longer than one page, so that a full disk can take a part of it. */
function longRecord(): ReturnType<typeof gpuRecord> {
  const members = Array.from({ length: 64 }, (_, n) =>
    address(`0000:65:${(n >> 3).toString(16).padStart(2, '0')}.${n % 8}`),
  );
  const [first] = gpuRecord().members;
  assert(first !== undefined);
  return gpuRecord('0000:65:00', {
    key: members.join(',') as ReturnType<typeof gpuRecord>['key'],
    members: members.map((each) => ({ ...first, address: each })),
  });
}

test('file record store: a disk that fills up in the middle of a record refuses the save and keeps the earlier one', async (t) => {
  const skipped = await withTmpfs('size=64k', async (dir) => {
    const store = open(dir);
    await store.load();
    await store.save(gpuRecord());
    const fill = async (): Promise<void> => writeFile(join(dir, 'filler'), Buffer.alloc(65_536));
    await assert.rejects(fill(), { code: 'ENOSPC' });
    await truncate(join(dir, 'filler'), (await stat(join(dir, 'filler'))).size - 4096);
    assert(encodeRecord(longRecord()).length > 8192);
    await assert.rejects(store.save(longRecord()), writeFailure('ENOSPC'));
    assert.deepEqual((await readdir(dir)).sort(), [file, 'filler']);
    assert.deepEqual((await open(dir).load()).records, [gpuRecord()]);
    await rm(join(dir, 'filler'));
    await store.save(longRecord());
    assert.deepEqual((await open(dir).load()).records, [longRecord()]);
  });
  if (skipped !== null) t.skip(skipped);
});

test('file record store: a disk without free inodes refuses the save and keeps the earlier record', async (t) => {
  const skipped = await withTmpfs('size=64k,nr_inodes=2', async (dir) => {
    const store = open(dir);
    await store.load();
    await store.save(gpuRecord());
    const next = gpuRecord('0000:65:00', { phase: 'Returning' });
    await assert.rejects(store.save(next), writeFailure('ENOSPC'));
    assert.deepEqual((await open(dir).load()).records, [gpuRecord()]);
  });
  if (skipped !== null) t.skip(skipped);
});

test('file record store: on a read-only disk saves and removes are refused, records are still read', async (t) => {
  const skipped = await withTmpfs('size=64k', async (dir) => {
    const store = open(dir);
    await store.load();
    await store.save(gpuRecord());
    await writeFile(join(dir, '0000-04-00-0.json'), 'damaged');
    assert.equal(spawnSync('mount', ['-o', 'remount,ro', dir]).status, 0);
    await assert.rejects(
      store.save(gpuRecord('0000:65:00', { phase: 'Returning' })),
      writeFailure('EROFS'),
    );
    await assert.rejects(store.remove(leader), writeFailure('EROFS'));
    const { records, quarantined } = await open(dir).load();
    assert.deepEqual(records, [gpuRecord()]);
    assert.equal(quarantined[0]?.leader, '0000:04:00.0');
    assert.equal(quarantined[0]?.path, join(dir, '0000-04-00-0.json'));
    assert.match(quarantined[0]?.why ?? '', /not JSON.*cannot be moved to quarantine: EROFS/);
  });
  if (skipped !== null) t.skip(skipped);
});

test('file record store: a folder without write permission refuses saves and keeps the record', async () => {
  const dir = await preparedDir();
  await chmod(base, 0o755);
  await chmod(dir, 0o555);
  await chmod(join(dir, file), 0o444);
  // Root passes by permissions: a child that has given up root tries it.
  const script = join(import.meta.dirname, 'save-unprivileged.ts');
  const child = spawnSync(process.execPath, [script, dir], { encoding: 'utf8' });
  assert.equal(child.stdout.trim(), 'WG_RECORD_WRITE_FAILED EACCES', child.stderr);
  assert.deepEqual(await readdir(dir), [file]);
  await chmod(dir, 0o700);
});
