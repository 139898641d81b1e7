import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ContainerRun, ContainerRuntime, StartOutcome } from '../../src/standin/pod.ts';
import { device, TestDoor } from '../kubelet/test-door.ts';
import { World } from './world.ts';

const gpu = 'example.com/gpu';
const one = { [gpu]: 1 };

function node(count: number): TestDoor {
  return new TestDoor({
    [gpu]: Array.from({ length: count }, (_, index) => device(`0000:0${index + 1}:00.0`)),
  });
}

describe('pods on the stand-in', () => {
  test('a pod is Pending while capacity is short, and gets its devices when another pod has ended', async () => {
    const world = new World(node(1));
    await world.up();
    const first = world.pod('first', { devices: one });
    const second = world.pod('second', { devices: one });
    await world.run(100);
    assert.equal(world.short(first), 'Running//running');
    assert.equal(world.short(second), 'Pending/Unschedulable/waiting');
    assert.equal(
      world.kubelet.pod(second)?.message,
      '0/1 nodes are available: 1 Insufficient example.com/gpu.',
    );
    world.kubelet.deletePod(first, { graceMs: 0 });
    world.door.release('0000:01:00.0');
    await world.run(1000);
    assert.equal(world.short(first), 'gone');
    assert.equal(world.short(second), 'Running//running');
  });

  test('Allocate comes once in a pod’s life, PreStartContainer before every start, with growing back-off', async () => {
    const world = new World(node(1));
    await world.up();
    const uid = world.pod('crashing', { devices: one, exits: { afterMs: 1000, code: 1 } });
    const starts: number[] = [];
    let seen = 0;
    for (let second = 0; second < 120; second++) {
      await world.run(1000);
      const now = world.calls('preStart');
      if (now > seen) starts.push(second);
      seen = now;
    }
    assert.equal(world.calls('allocate'), 1);
    // Runs of 1 s, and 10, 20, 40 s between them; the numbers are the seconds before each start.
    assert.deepEqual(starts, [0, 10, 31, 72]);
    assert.equal(world.kubelet.pod(uid)?.containers[0]?.restarts, 3);
  });

  test('a PreStartContainer that takes longer than 30 s is given up and tried again', async () => {
    const door = node(1);
    const world = new World(door, {}, { preStartWaitMs: 100_000 });
    await world.up();
    const hanging = world.pod('hanging', { devices: one });
    await world.run(500);
    assert.equal(world.short(hanging), 'Running//running');
    world.kubelet.exitContainer(hanging, 'main', 1);
    door.mood = 'hang';
    await world.run(10_000 + 29_000);
    assert.equal(world.short(hanging), 'Running//terminated');
    await world.run(2000);
    const [container] = world.kubelet.pod(hanging)?.containers ?? [];
    assert.deepEqual(container?.state, {
      kind: 'waiting',
      reason: 'CreateContainerConfigError',
      message:
        'device plugin PreStartContainer rpc failed with err: rpc error: code = DeadlineExceeded desc = context deadline exceeded',
    });
    door.mood = 'answer';
    await world.run(11_000);
    assert.equal(world.short(hanging), 'Running//running');
  });

  test('admission is one queue: a hanging Allocate holds up every pod, also those without devices', async () => {
    const door = node(2);
    const world = new World(door, {}, { allocateMs: 120_000 });
    await world.up();
    door.mood = 'hang';
    const hung = world.pod('hung', { devices: one });
    const innocent = world.pod('innocent', {});
    await world.run(60_000);
    assert.equal(world.short(hung), 'Pending//waiting');
    assert.equal(world.short(innocent), 'Pending//waiting');
    await world.run(61_000);
    assert.equal(world.short(hung), 'Failed/UnexpectedAdmissionError/waiting');
    assert.equal(world.short(innocent), 'Running//running');
  });

  test('a rejected pod is Failed for good and never listed; its device is free for the next one', async () => {
    const door = node(1);
    const world = new World(door);
    await world.up();
    door.leases.set('0000:01:00.0', 'elsewhere');
    const rejected = world.pod('rejected', { devices: one });
    await world.run(100);
    assert.equal(world.short(rejected), 'Failed/UnexpectedAdmissionError/waiting');
    assert.match(
      world.kubelet.pod(rejected)?.message ?? '',
      /^Pod was rejected: Allocate failed due to rpc error: code = FailedPrecondition desc = .*, which is unexpected$/,
    );
    assert.deepEqual(world.listed(), []);
    door.release('0000:01:00.0');
    const next = world.pod('next', { devices: one });
    await world.run(100);
    assert.equal(world.short(next), 'Running//running');
    assert.deepEqual(world.listed(), ['next']);
  });

  test('an init container lends its device: the plugin is asked again for the same one', async () => {
    const world = new World(node(2));
    await world.up();
    const granted = world.door.allocate.bind(world.door);
    // The agent of this test takes a second Allocate of a lease as the same pod's.
    world.door.allocate = (resource, ids) => {
      for (const id of ids) world.door.release(id);
      return granted(resource, ids);
    };
    const uid = world.pod(
      'lends',
      { devices: one },
      {
        initContainers: [
          { name: 'prepare', devices: one, exits: { afterMs: 500, code: 0 } },
          { name: 'beside', devices: {}, restartable: true },
        ],
      },
    );
    await world.run(100);
    const asked = world.door.calls.filter((call) => call.startsWith('allocate'));
    assert.equal(asked.length, 2);
    assert.equal(asked[0], asked[1]);
    assert.equal(world.short(uid), 'Pending//running');
    await world.run(1000);
    const pod = world.kubelet.pod(uid);
    assert.equal(pod?.phase, 'Running');
    assert.deepEqual(
      pod?.containers.map((container) => container.state.kind),
      ['terminated', 'running', 'running'],
    );
    // Ordinary init containers are left out of the list, sidecars are not.
    assert.deepEqual(
      world.kubelet.list()?.[0]?.containers.map((container) => container.name),
      ['beside', 'main'],
    );
  });

  test('a sidecar keeps its device for itself', async () => {
    const world = new World(node(2));
    await world.up();
    const uid = world.pod(
      'keeps',
      { devices: one },
      {
        initContainers: [{ name: 'beside', devices: one, restartable: true }],
      },
    );
    await world.run(100);
    assert.equal(world.kubelet.pod(uid)?.phase, 'Running');
    const [beside, main] = world.kubelet.list()?.[0]?.containers ?? [];
    assert.notDeepEqual(beside?.devices[0]?.ids, main?.devices[0]?.ids);
  });

  const endings: readonly (readonly ['Always' | 'OnFailure' | 'Never', number, string])[] = [
    ['Never', 0, 'Succeeded//terminated'],
    ['Never', 3, 'Failed//terminated'],
    ['OnFailure', 0, 'Succeeded//terminated'],
    ['OnFailure', 3, 'Running//terminated'],
    ['Always', 0, 'Running//terminated'],
  ];
  for (const [restartPolicy, code, expected] of endings) {
    test(`restartPolicy ${restartPolicy}, exit code ${code}: ${expected}`, async () => {
      const world = new World(node(1));
      await world.up();
      const uid = world.pod('ends', { exits: { afterMs: 100, code } }, { restartPolicy });
      await world.run(1000);
      assert.equal(world.short(uid), expected);
    });
  }

  test('devices of an ended pod are freed lazily, by the next Allocate or List, and the plugin is not told', async () => {
    const world = new World(node(1));
    await world.up();
    const uid = world.pod(
      'ends',
      { devices: one, exits: { afterMs: 100, code: 0 } },
      { restartPolicy: 'Never' },
    );
    await world.run(1000);
    assert.equal(world.short(uid), 'Succeeded//terminated');
    assert.match(world.kubelet.checkpoint ?? '', new RegExp(uid));
    assert.deepEqual(world.listed(), []);
    assert.match(
      world.kubelet.checkpoint ?? '',
      new RegExp(uid),
      'the checkpoint is not rewritten for that',
    );
    assert.deepEqual([...world.door.leases.keys()], ['0000:01:00.0']);
  });

  test('a forced deletion takes the pod off the list while its container still runs', async () => {
    const stuck: ContainerRuntime = {
      start: (): Promise<StartOutcome> => Promise.resolve({ kind: 'started' }),
      stop: () => new Promise(() => undefined),
      exited: () => undefined,
    };
    const world = new World(node(1), { runtime: stuck });
    await world.up();
    const uid = world.pod('stuck', { devices: one });
    await world.run(100);
    world.kubelet.deletePod(uid);
    await world.run(60_000);
    assert.equal(world.kubelet.pod(uid)?.terminating, true);
    assert.deepEqual(world.listed(), ['stuck'], 'terminating, not terminated: still the holder');
    world.kubelet.deletePod(uid, { force: true });
    assert.equal(world.short(uid), 'gone');
    assert.deepEqual(world.listed(), []);
    assert.equal(world.kubelet.runs().length, 1, 'what the list no longer says');
  });

  test('a pod that is deleted by force is ended all the same, in its own time', async () => {
    const ended: ContainerRun[] = [];
    const slow: ContainerRuntime = {
      start: (): Promise<StartOutcome> => Promise.resolve({ kind: 'started' }),
      stop: (run) =>
        new Promise((resolve) => world.clock.after(5000, () => resolve(void ended.push(run)))),
      exited: () => undefined,
    };
    const world: World = new World(node(1), { runtime: slow });
    await world.up();
    const uid = world.pod('forced', { devices: one });
    await world.run(100);
    world.kubelet.deletePod(uid, { force: true });
    await world.run(100);
    assert.equal(world.short(uid), 'gone');
    assert.deepEqual(world.listed(), []);
    assert.equal(world.kubelet.runs().length, 1, 'the container still runs');
    await world.run(6000);
    assert.equal(world.kubelet.runs().length, 0);
    assert.equal(ended.length, 1);
  });

  test('a container that cannot be created waits with the runtime’s words', async () => {
    const outcomes: StartOutcome[] = [
      { kind: 'failed', message: 'lstat /dev/vfio/17: no such file or directory' },
    ];
    const world = new World(node(1), {
      runtime: {
        start: () => Promise.resolve(outcomes.shift() ?? { kind: 'started' }),
        stop: () => Promise.resolve(),
        exited: () => undefined,
      },
    });
    await world.up();
    const uid = world.pod('picky', { devices: one });
    await world.run(100);
    assert.deepEqual(world.kubelet.pod(uid)?.containers[0]?.state, {
      kind: 'waiting',
      reason: 'CreateContainerError',
      message: 'lstat /dev/vfio/17: no such file or directory',
    });
    await world.run(10_000);
    assert.equal(world.short(uid), 'Running//running');
  });
});
