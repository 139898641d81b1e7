// The sleeping locks, the number allocator, processes and signals, and path resolution: the small parts that
// everything else stands on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IdAllocator } from '../../../src/kernel/model/objects/ids.ts';
import { SleepLock } from '../../../src/kernel/model/objects/lock.ts';
import { OpenFile } from '../../../src/kernel/model/objects/open-file.ts';
import { ProcessTable } from '../../../src/kernel/model/objects/process.ts';
import { UeventBus } from '../../../src/kernel/model/objects/uevents.ts';
import { kernfsOrder } from '../../../src/kernel/model/name-hash.ts';
import {
  dir,
  linkTo,
  relativePath,
  resolve,
  Surface,
  textFile,
} from '../../../src/kernel/model/tree.ts';
import type { Task, VDir } from '../../../src/kernel/model/vfs.ts';

const task = (pid: number): Task => ({ pid, state: 'R', onSignal: null });

test('a lock is had in the order of asking, and its waiters sleep uninterruptibly', async () => {
  const lock = new SleepLock();
  const [first, second, third] = [task(1), task(2), task(3)];
  const order: number[] = [];
  assert.equal(lock.tryTake(first), true);
  const waits = [second, third].map(async (one) => {
    await lock.take(one);
    order.push(one.pid);
  });
  assert.deepEqual([second.state, third.state, lock.waiters], ['D', 'D', 2]);
  assert.equal(lock.tryTake(task(4)), false);
  lock.give(first);
  assert.equal(lock.holder, second);
  assert.equal(second.state, 'R');
  lock.give(second);
  lock.give(third);
  await Promise.all(waits);
  assert.deepEqual(order, [2, 3]);
  assert.equal(lock.holder, null);
});

test('only the holder gives a lock up', () => {
  const lock = new SleepLock();
  assert.equal(lock.take(task(1)), undefined);
  assert.throws(() => lock.give(task(2)), /given up by its holder/);
});

test('numbers are given lowest free first, whatever was given back', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1, max: 12 })), (steps) => {
      const ids = new IdAllocator();
      const taken = new Set<number>();
      for (const step of steps) {
        if (step < 0) {
          const id = ids.take();
          let lowest = 0;
          while (taken.has(lowest)) lowest += 1;
          assert.equal(id, lowest);
          taken.add(id);
        } else {
          ids.give(step);
          taken.delete(step);
        }
      }
    }),
  );
});

test('a signal reaches an interruptible sleeper at once, and ends the process when its call is over', () => {
  const processes = new ProcessTable();
  const process = processes.spawn('qemu');
  const call = processes.enter(process);
  const heard: number[] = [];
  call.state = 'S';
  call.onSignal = (signal) => heard.push(signal);
  assert.equal(processes.kill(process.pid, 15), null);
  assert.deepEqual(heard, [15]);
  assert.equal(process.alive, true);
  processes.leave(process, call);
  assert.equal(process.alive, false);
  assert.equal(processes.kill(process.pid, 15), 'ESRCH');
});

test('signals that are ignored by default, and signal 0, change nothing', () => {
  const processes = new ProcessTable();
  const process = processes.spawn('qemu');
  for (const signal of [0, 17, 18, 23, 28]) assert.equal(processes.kill(process.pid, signal), null);
  assert.equal(process.alive, true);
  assert.equal(processes.kill(process.pid, 65), 'EINVAL');
  assert.equal(processes.kill(4711, 9), 'ESRCH');
});

test('files are closed with their process, and released with their last holder', () => {
  const processes = new ProcessTable();
  const process = processes.spawn('qemu');
  let released = 0;
  const file = new OpenFile({ kind: 'other' }, '/dev/null', () => {
    released += 1;
  });
  assert.equal(process.install(file), 0);
  file.get();
  assert.equal(processes.kill(process.pid, 9), null);
  assert.equal(released, 0);
  file.put();
  assert.equal(released, 1);
});

test('a full uevent queue loses events and says so once', () => {
  const bus = new UeventBus();
  const queue = bus.subscribe(2);
  for (const action of ['add', 'bind', 'remove']) bus.emit(action, '/devices/x', []);
  assert.deepEqual(
    queue.take().map(({ action }) => action),
    ['add', 'bind'],
  );
  assert.equal(queue.overflowed(), true);
  assert.equal(queue.overflowed(), false);
  queue.close();
  bus.emit('add', '/devices/x', []);
  assert.deepEqual(queue.take(), []);
});

test('folders of sysfs list in the order of the kernel', () => {
  assert.deepEqual(kernfsOrder(['0', '1', '3', '4', '5', '6', '7', '8']), [
    '7',
    '5',
    '3',
    '1',
    '8',
    '6',
    '4',
    '0',
  ]);
  const driver = ['bind', 'module', 'new_id', 'remove_id', 'uevent', 'unbind'];
  assert.deepEqual(kernfsOrder(driver), [
    'uevent',
    'bind',
    'new_id',
    'remove_id',
    'unbind',
    'module',
  ]);
});

test('paths are walked with their links, upwards too, and loops end', () => {
  const real: VDir = dir({
    file: textFile(() => 'x'),
    up: { kind: 'link', target: '../other/file' },
  });
  const surface = new Surface();
  surface.put('/a/real', real);
  surface.put('/a/other', dir({ file: textFile(() => 'y') }));
  surface.put(
    '/b/short',
    linkTo('/b', '/a/real', () => real),
  );
  surface.put('/b/loop', { kind: 'link', target: '/b/loop' });
  surface.put('/b/away', { kind: 'link', target: '/nowhere' });
  const outcome = (path: string, follow = true): string => {
    const found = resolve(surface.root, path, follow);
    if (!found.ok) return found.errno;
    if (found.node.kind !== 'file') return found.node.kind;
    const read = found.node.read?.(task(1));
    return read instanceof Promise || read?.kind !== 'value' ? '?' : String(read.value);
  };
  assert.equal(outcome('/b/short/file'), 'x');
  assert.equal(outcome('/b/short/up'), 'y');
  assert.equal(outcome('/b/short/../other/file'), 'y');
  assert.equal(outcome('/b/short', false), 'link');
  assert.equal(outcome('//a/./real/file'), 'x');
  assert.equal(outcome('/b/loop'), 'ELOOP');
  assert.equal(outcome('/b/away'), 'ENOENT');
  assert.equal(outcome('/b/away', false), 'link');
  assert.equal(outcome('/a/real/file/more'), 'ENOTDIR');
  assert.equal(
    relativePath('/sys/bus/pci/devices', '/sys/devices/pci0000:00/x'),
    '../../../devices/pci0000:00/x',
  );
  assert.equal(relativePath('/sys/devices/p/a', '/sys/devices/p/b'), '../b');
});
