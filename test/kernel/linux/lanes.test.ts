import assert from 'node:assert/strict';
import { chmodSync, closeSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { LanePool } from '../../../src/kernel/linux/lane-pool.ts';
import { laneEntryUnbuilt, LinuxKernel } from '../../../src/kernel/linux/linux-kernel.ts';
import { machine, text, value } from './machine.ts';
import {
  drain,
  eventually,
  feed,
  makeFifo,
  processState,
  realClock,
  recordingLog,
  scratchFolder,
  writeTree,
} from './support.ts';

test('a call that blocks becomes pending and its late answer is still delivered', async (t) => {
  const { kernel, roots, lanes } = machine(t);
  const fifo = makeFifo(join(roots.sysfs, 'kernel/hangs'));
  const outcome = await kernel.read('/sys/kernel/hangs', { deadlineMs: 60 });
  assert.equal(outcome.kind, 'pending');
  assert.equal(kernel.pendingCount, 1);
  await feed(fifo, 'late text');
  assert.equal(outcome.kind === 'pending' && text(value(await outcome.settles)), 'late text');
  assert.equal(kernel.pendingCount, 0);
  await eventually('the abandoned lane ended', () => lanes.lanePids.length === 0);
});

test('no thread of this process is blocked while a call hangs, and the event loop stays quick', async (t) => {
  const { kernel, roots } = machine(t);
  const fifos = Array.from({ length: 6 }, (_, at) =>
    makeFifo(join(roots.sysfs, `kernel/hang${at}`)),
  );
  // More than the four threads of libuv's pool: if a call used one, the read below would never come back.
  const outcomes = Promise.all(
    fifos.map((_, at) => kernel.read(`/sys/kernel/hang${at}`, { deadlineMs: 600 })),
  );
  let worstMs = 0;
  let lastMs = performance.now();
  const beat = setInterval(() => {
    worstMs = Math.max(worstMs, performance.now() - lastMs);
    lastMs = performance.now();
  }, 5);
  // Needs a thread of libuv's pool: were the hung calls made there, this would not come back before them.
  let poolIsFree = false;
  void readFile(import.meta.filename).then(() => {
    poolIsFree = true;
  });
  await eventually('the thread pool answers', () => poolIsFree, 500);
  assert.deepEqual(
    (await outcomes).map((outcome) => outcome.kind),
    Array.from({ length: 6 }, () => 'pending'),
  );
  clearInterval(beat);
  assert.ok(worstMs < 400, `the event loop was away for ${worstMs} ms`);
  for (const fifo of fifos) await feed(fifo);
});

test('others go on while one write hangs: the lane is replaced', async (t) => {
  const { kernel, roots, lanes } = machine(t);
  writeTree(roots.sysfs, { 'kernel/fine': 'fine' });
  const fifo = makeFifo(join(roots.sysfs, 'kernel/hangs'));
  const hung = await kernel.write('/sys/kernel/hangs', 'x', { deadlineMs: 50 });
  assert.equal(hung.kind, 'pending');
  const [blocked] = lanes.lanePids;
  assert.equal(text(value(await kernel.read('/sys/kernel/fine'))), 'fine');
  assert.equal(lanes.lanePids.length, 2);
  const reader = drain(fifo);
  assert.equal(hung.kind === 'pending' && value(await hung.settles), 1);
  closeSync(reader);
  await eventually(
    'the blocked lane is gone',
    () => blocked !== undefined && processState(blocked) === null,
  );
});

test('a hung write is joined by its repetitions, not repeated', async (t) => {
  const { kernel, roots, lanes } = machine(t);
  const fifo = makeFifo(join(roots.sysfs, 'kernel/hangs'));
  // Both at once, before anybody has been told that it hangs; then again and again.
  const write = () => kernel.write('/sys/kernel/hangs', 'once', { deadlineMs: 60 });
  const attempts = await Promise.all([write(), write()]);
  for (let again = 0; again < 3; again++) attempts.push(await write());
  assert.deepEqual(
    attempts.map((attempt) => attempt.kind),
    Array.from({ length: 5 }, () => 'pending'),
  );
  assert.equal(lanes.lanePids.length, 1);
  assert.equal(kernel.pendingCount, 1);
  const reader = drain(fifo);
  for (const attempt of attempts)
    assert.equal(attempt.kind === 'pending' && value(await attempt.settles), 4);
  assert.equal(readFileSync(reader, 'utf8'), 'once');
  closeSync(reader);
});

test('a read that a blocked one stands before is made by another lane long before its deadline', async (t) => {
  const { kernel, roots } = machine(t);
  const fifo = makeFifo(join(roots.sysfs, 'kernel/a/hangs'));
  const files = Object.fromEntries(
    Array.from({ length: 20 }, (_, at) => [`kernel/b/f${at}`, `${at}`]),
  );
  writeTree(roots.sysfs, files);
  const hung = kernel.read('/sys/kernel/a/hangs', { deadlineMs: 1500 });
  const rest = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      kernel.read(`/sys/kernel/b/f${at}`, { deadlineMs: 1400 }),
    ),
  );
  assert.deepEqual(
    rest.map((each) => text(value(each))),
    Array.from({ length: 20 }, (_, at) => `${at}`),
  );
  await feed(fifo, 'unblocked');
  assert.equal(text(value(await hung)), 'unblocked');
});

test('there are never more lanes than the limit; what waits is answered when one is free', async (t) => {
  const { kernel, roots, lanes } = machine(t, { lanesMax: 2, stallMs: 10 });
  writeTree(roots.sysfs, { 'kernel/fine': 'fine' });
  const fifos = ['a', 'b', 'c'].map((name) => makeFifo(join(roots.sysfs, `kernel/${name}`)));
  const hung = await Promise.all(
    ['a', 'b', 'c'].map((name) => kernel.write(`/sys/kernel/${name}`, name, { deadlineMs: 300 })),
  );
  assert.deepEqual(
    hung.map((each) => each.kind),
    ['pending', 'pending', 'pending'],
  );
  assert.equal(lanes.lanePids.length, 2);
  const waiting = await kernel.read('/sys/kernel/fine', { deadlineMs: 20 });
  assert.equal(waiting.kind, 'pending');
  const readers = fifos.map((fifo) => drain(fifo));
  for (const each of hung) assert.equal(each.kind === 'pending' && value(await each.settles), 1);
  assert.equal(waiting.kind === 'pending' && text(value(await waiting.settles)), 'fine');
  readers.forEach((fd) => closeSync(fd));
});

test('a lane that cannot be started gives EIO instead of waiting', async (t) => {
  const log = recordingLog();
  const roots = { sysfs: scratchFolder(t) };
  for (const broken of [
    { execPath: '/nonexistent/node', entry: laneEntryUnbuilt },
    { execPath: process.execPath, entry: '/nonexistent/lane.ts' },
  ]) {
    const lanes = new LanePool({ clock: realClock, log, program: broken });
    const kernel = new LinuxKernel({ clock: realClock, log, lanes, roots, udevadm: null });
    const outcomes = await Promise.all([
      kernel.write('/sys/kernel/x', '1'),
      kernel.read('/sys/kernel/x'),
    ]);
    assert.deepEqual(outcomes, [
      { kind: 'errno', errno: 'EIO' },
      { kind: 'errno', errno: 'EIO' },
    ]);
    lanes.close();
  }
  assert.ok(log.events.some(({ event }) => event === 'kernel-lane-lost'));
});

test('closing gives ECANCELED to what is unanswered and to every later call', async (t) => {
  const { kernel, roots, lanes } = machine(t);
  const fifo = makeFifo(join(roots.sysfs, 'kernel/hangs'));
  const hung = kernel.write('/sys/kernel/hangs', 'x');
  await eventually('the lane runs', () => lanes.lanePids.length === 1);
  lanes.close();
  assert.deepEqual(await hung, { kind: 'errno', errno: 'ECANCELED' });
  assert.deepEqual(await kernel.write('/sys/kernel/hangs', 'x'), {
    kind: 'errno',
    errno: 'ECANCELED',
  });
  const reader = drain(fifo);
  await eventually('no lane is left', () => lanes.lanePids.length === 0);
  closeSync(reader);
});

test('a lane that takes seconds to come up is waited for: nothing is blocked in the kernel meanwhile', async (t) => {
  const log = recordingLog();
  const roots = { sysfs: scratchFolder(t) };
  writeTree(roots.sysfs, { 'kernel/fine': 'fine' });
  const slowNode = join(scratchFolder(t, 'programs'), 'node');
  writeFileSync(
    slowNode,
    `#!/bin/sh\nPATH=/usr/bin:/bin\nsleep 2.5\nexec ${process.execPath} "$@"\n`,
  );
  chmodSync(slowNode, 0o755);
  const program = { execPath: slowNode, entry: laneEntryUnbuilt };
  const lanes = new LanePool({ clock: realClock, log, program });
  const kernel = new LinuxKernel({ clock: realClock, log, lanes, roots, udevadm: null });
  const outcome = await kernel.read('/sys/kernel/fine', { deadlineMs: 500 });
  assert.equal(text(value(outcome)), 'fine');
  assert.equal(lanes.lanePids.length, 1, 'no other was started beside it');
  assert.deepEqual(log.events, []);
  lanes.close();
});

test('calls behind many others are not pending while those go on, however long that takes', async (t) => {
  const { kernel, roots, log } = machine(t, { lanesMax: 1 });
  const fifos = Array.from({ length: 12 }, (_, at) => `kernel/slow${at}`);
  for (const name of fifos) makeFifo(join(roots.sysfs, name));
  const outcomes = fifos.map((name) => kernel.write(`/sys/${name}`, 'x', { deadlineMs: 400 }));
  // Each takes 150 ms: the last one comes long after its deadline, and none has been blocked that long.
  const readers: number[] = [];
  for (const name of fifos) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    readers.push(drain(join(roots.sysfs, name)));
  }
  assert.deepEqual(
    (await Promise.all(outcomes)).map((outcome) => outcome.kind),
    fifos.map(() => 'value'),
  );
  assert.equal(log.events.length, 0);
  readers.forEach((fd) => closeSync(fd));
});

test('a lane that waits for a processor is not taken for blocked: no other is started beside it', async (t) => {
  const log = recordingLog();
  const roots = { sysfs: scratchFolder(t) };
  const names = Array.from({ length: 8 }, (_, at) => `kernel/b/f${at}`);
  writeTree(roots.sysfs, Object.fromEntries(names.map((name) => [name, name])));
  const program = {
    execPath: process.execPath,
    entry: join(import.meta.dirname, 'busy-lane.ts'),
  };
  const lanes = new LanePool({ clock: realClock, log, program });
  const kernel = new LinuxKernel({ clock: realClock, log, lanes, roots, udevadm: null });
  const reads = names.map((name) => kernel.read(`/sys/${name}`, { deadlineMs: 100 }));
  assert.deepEqual(
    (await Promise.all(reads)).map((outcome) => text(value(outcome))),
    names,
  );
  assert.equal(lanes.lanePids.length, 1);
  assert.deepEqual(log.events, []);
  lanes.close();
});
