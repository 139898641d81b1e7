import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newListWatch, watchLists } from '../../src/kubelet/departure.ts';
import { podResourcesView } from '../../src/standin/holders.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/standin/checkpoint.ts';
import { device, resourceName, TestDoor } from '../kubelet/test-door.ts';
import { World } from './world.ts';

const gpu = 'example.com/gpu';
const one = { [gpu]: 1 };
const id = '0000:01:00.0';
const offers = { [gpu]: [device(id)] };

describe('a kubelet restart', () => {
  test('leaves running pods alone; List is empty and capacity zero for a moment', async () => {
    const world = new World(new TestDoor(offers));
    await world.up();
    const uid = world.pod('runs', { devices: one });
    await world.run(100);
    world.kubelet.stop();
    assert.equal(world.kubelet.list(), null);
    world.killAgent();
    world.kubelet.start();
    assert.deepEqual(world.listed(), []);
    await world.run(1400);
    assert.deepEqual(world.listed(), [], 'its pods are not known yet');
    assert.deepEqual(world.kubelet.quantity(gpu), { capacity: 0, allocatable: 0 });
    await world.run(200);
    assert.deepEqual(world.listed(), ['runs']);
    world.startAgent();
    await world.run(2000);
    assert.deepEqual(world.kubelet.quantity(gpu), { capacity: 1, allocatable: 1 });
    assert.equal(world.short(uid), 'Running//running');
    assert.equal(world.calls('allocate'), 1);
    assert.equal(world.calls('preStart'), 1);
  });

  test('a container that crashed meanwhile starts again with the old answer, without PreStartContainer until the plugin is back', async () => {
    const world = new World(new TestDoor(offers));
    await world.up();
    const uid = world.pod('crashes', { devices: one });
    await world.run(100);
    world.killAgent();
    world.kubelet.stop();
    world.kubelet.start();
    await world.run(2000);
    world.kubelet.exitContainer(uid, 'main', 1);
    await world.run(11_000);
    assert.equal(world.short(uid), 'Running//running');
    assert.equal(world.calls('preStart'), 1, 'options are not in the checkpoint');
    assert.equal(world.calls('allocate'), 1);
  });

  test('a pod with a finished init container that had a device is rejected though it runs', async () => {
    const world = new World(new TestDoor({ [gpu]: [device(id), device('0000:02:00.0')] }));
    await world.up();
    const uid = world.pod(
      'had-init',
      { devices: {} },
      {
        initContainers: [{ name: 'prepare', devices: one, exits: { afterMs: 100, code: 0 } }],
      },
    );
    await world.run(1000);
    assert.equal(world.kubelet.pod(uid)?.phase, 'Running');
    world.killAgent();
    world.kubelet.stop();
    world.kubelet.start();
    await world.run(2000);
    assert.equal(world.kubelet.pod(uid)?.phase, 'Failed');
    assert.match(
      world.kubelet.pod(uid)?.message ?? '',
      /no healthy devices present; cannot allocate unhealthy devices example.com\/gpu/,
    );
    await world.run(40_000);
    assert.deepEqual(world.kubelet.runs(), []);
  });

  test('killed during Allocate it remembers nothing and asks for the same pod again', async () => {
    const door = new TestDoor(offers);
    const world = new World(door);
    await world.up();
    door.mood = 'hang';
    const uid = world.pod('interrupted', { devices: one });
    await world.run(100);
    assert.equal(world.calls('allocate'), 1);
    world.kubelet.stop();
    door.mood = 'answer';
    world.kubelet.start();
    await world.run(3000);
    assert.equal(world.calls('allocate'), 2);
    assert.equal(world.short(uid), 'Running//running');
  });

  test('a pod that was bound while it was down is admitted after the start; one that was deleted is ended', async () => {
    const world = new World(new TestDoor({ [gpu]: [device(id), device('0000:02:00.0')] }));
    await world.up();
    const old = world.pod('old', { devices: one });
    await world.run(100);
    world.kubelet.stop();
    const bound = world.pod('bound', { devices: one });
    world.kubelet.deletePod(old, { force: true });
    await world.run(5000);
    assert.equal(world.short(old), 'gone');
    assert.equal(world.kubelet.runs().length, 1);
    world.kubelet.start();
    await world.run(3000);
    assert.equal(world.short(bound), 'Running//running');
    assert.deepEqual(
      world.kubelet.runs().map((run) => run.pod),
      ['bound'],
    );
  });
});

describe('a node reboot', () => {
  test('replays the checkpoint: the same devices without Allocate, PreStartContainer before the start', async () => {
    const world = new World(new TestDoor(offers), { sourcesReadyMs: 3000 });
    await world.up();
    await world.run(2000);
    const uid = world.pod('survives', { devices: one });
    await world.run(100);
    const [before] = world.kubelet.runs();
    world.killAgent();
    world.kubelet.powerOff();
    assert.deepEqual(world.kubelet.runs(), []);
    await world.run(30_000);
    world.kubelet.start();
    world.startAgent();
    await world.run(5000);
    assert.equal(world.short(uid), 'Running//running');
    assert.equal(world.calls('allocate'), 1);
    assert.equal(world.calls('preStart'), 2);
    const [after] = world.kubelet.runs();
    assert.deepEqual(after?.grant, before?.grant);
    assert.equal(after?.attempt, 1);
  });

  test('a plugin that is late costs the pods their life', async () => {
    const world = new World(new TestDoor(offers));
    await world.up();
    const uid = world.pod('unlucky', { devices: one });
    await world.run(100);
    world.killAgent();
    world.kubelet.powerOff();
    world.kubelet.start();
    await world.run(2000);
    world.startAgent();
    await world.run(2000);
    assert.equal(
      world.kubelet.pod(uid)?.message,
      `Pod was rejected: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices ${gpu}, which is unexpected`,
    );
    assert.equal(world.calls('allocate'), 1);
  });

  test('a device that is not healthy any more fails the pod that had it', async () => {
    const door = new TestDoor({ [gpu]: [device(id), device('0000:02:00.0')] });
    const world = new World(door, { sourcesReadyMs: 3000 });
    await world.up();
    await world.run(2000);
    const uid = world.pod('sick', { devices: { [gpu]: 2 } });
    await world.run(100);
    world.kubelet.powerOff();
    door.set({ [gpu]: [device(id), device('0000:02:00.0', { healthy: false })] });
    world.kubelet.start();
    await world.run(5000);
    assert.match(
      world.kubelet.pod(uid)?.message ?? '',
      /previously allocated devices are no longer healthy; cannot allocate unhealthy devices/,
    );
  });

  test('without its checkpoint the kubelet asks anew', async () => {
    const door = new TestDoor(offers);
    const world = new World(door, { sourcesReadyMs: 3000 });
    await world.up();
    await world.run(2000);
    const uid = world.pod('anew', { devices: one });
    await world.run(100);
    world.kubelet.powerOff();
    world.kubelet.loseCheckpoint();
    door.release(id);
    world.kubelet.start();
    await world.run(5000);
    assert.equal(world.calls('allocate'), 2);
    assert.equal(world.short(uid), 'Running//running');
  });
});

describe('what is left behind', () => {
  test('a plugin that stays away: unhealthy at once, off the node after five minutes', async () => {
    const world = new World(new TestDoor(offers));
    await world.up();
    world.killAgent();
    await world.run(2000);
    assert.deepEqual(world.kubelet.quantity(gpu), { capacity: 1, allocatable: 0 });
    await world.run(5 * 60_000);
    assert.deepEqual(world.kubelet.quantity(gpu), { capacity: 0, allocatable: 0 });
  });

  test('a departed pod is seen by two lists of the in-process view, and never by a shared one', async () => {
    const world = new World(new TestDoor(offers));
    await world.up();
    const view = podResourcesView(world.kubelet, world.clock);
    const leased = { resource: resourceName(gpu), id, sinceMs: 0 };
    let watch = newListWatch(false);
    const look = async (): Promise<void> => {
      const answers = Promise.all([view.list(), view.list()]);
      await world.run(1000);
      for (const answer of await answers) watch = watchLists(watch, answer, leased);
    };
    const uid = world.pod('train-0', { devices: one });
    await world.run(500);
    await look();
    assert.equal(watch.latest.kind, 'listed');
    await world.run(40_000);
    world.kubelet.deletePod(uid, { graceMs: 0 });
    await world.run(100);
    await look();
    assert.equal(watch.absence?.lists, 1);
    await look();
    assert.equal(watch.absence?.lists, 2);
    world.kubelet.stop();
    await look();
    assert.equal(watch.latest.kind, 'unreachable');
  });

  test('a checkpoint is read back as it was written; a changed one is not used', () => {
    const data = {
      entries: [
        {
          podUid: 'u',
          container: 'c',
          resource: gpu,
          ids: ['a', 'b'],
          grant: { envs: { A: 'b' }, deviceNodes: [], cdiDevices: ['x=y'] },
        },
      ],
      registered: { [gpu]: ['a', 'b', 'c'] },
    };
    const text = encodeCheckpoint(data, (_resource, device) => (device === 'a' ? [0, 1] : []));
    assert.deepEqual(JSON.parse(text).Data.PodDeviceEntries[0].DeviceIDs, {
      '0': ['a'],
      '1': ['a'],
      '-1': ['b'],
    });
    assert.deepEqual(decodeCheckpoint(text), data);
    assert.equal(decodeCheckpoint(text.replace('"u"', '"v"')), null);
    assert.equal(decodeCheckpoint(text.slice(0, -2)), null);
  });
});
