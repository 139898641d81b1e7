import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { pause, until } from './real-time.ts';
import { Rigs } from './rig.ts';
import { device, TestDoor } from './test-door.ts';

const gpu = 'example.com/gpu';
const nic = 'example.com/nic';

describe('device plugins on real sockets', () => {
  const rigs = new Rigs();
  after(() => rigs.stopAll());

  test('a resource is served, registered and listed at once', async () => {
    const door = new TestDoor({
      [gpu]: [device('0000:01:00.0'), device('0000:02:00.0', { healthy: false })],
    });
    const { rig, plugins } = await rigs.started(door);
    await until('registered', () => plugins.state().registered);
    await until('capacity', () => rig.standin.quantity(gpu).capacity === 2);
    assert.deepEqual(rig.standin.quantity(gpu), { capacity: 2, allocatable: 1 });
    assert.equal((await rig.sockets()).length, 1);
  });

  test('every resource has a socket of its own', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')], [nic]: [device('0000:03:00.0')] });
    const { rig, plugins } = await rigs.started(door);
    await until('registered', () => plugins.state().registered);
    await until(
      'both',
      () => rig.standin.quantity(gpu).capacity + rig.standin.quantity(nic).capacity === 2,
    );
    assert.equal((await rig.sockets()).length, 2);
  });

  test('a pod goes through GetPreferredAllocation, Allocate and PreStartContainer', async () => {
    const door = new TestDoor({
      [gpu]: [
        device('0000:01:00.0', { numaNodes: [0], memberCount: 3 }),
        device('0000:02:00.0', { numaNodes: [1], memberCount: 1 }),
        device('0000:03:00.0', { numaNodes: [1], memberCount: 2 }),
      ],
    });
    const { rig } = await rigs.started(door);
    const uid = rig.standin.createPod({
      namespace: 'ml',
      name: 'train-0',
      containers: [{ name: 'main', devices: { [gpu]: 2 } }],
    });
    await until('running', () => rig.standin.pod(uid)?.phase === 'Running');
    assert.deepEqual(door.calls, [
      `allocate ${gpu} 0000:02:00.0,0000:03:00.0`,
      `preStart ${gpu} 0000:02:00.0,0000:03:00.0 25000`,
    ]);
    const [run] = rig.standin.runs();
    assert.deepEqual(run?.grant.envs, { DEVICES: '0000:02:00.0,0000:03:00.0' });
    assert.deepEqual(run?.grant.deviceNodes, [
      { hostPath: '/dev/vfio/vfio', containerPath: '/dev/vfio/vfio', permissions: 'mrw' },
    ]);
    assert.deepEqual([...(run?.grant.cdiDevices ?? [])].sort(), [
      `${gpu}=0000:02:00.0`,
      `${gpu}=0000:03:00.0`,
    ]);
  });

  test('a refusal fails the pod with reason and remedy in its message', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    door.leases.set('0000:01:00.0', 'someone');
    const { rig } = await rigs.started(door);
    const uid = rig.standin.createPod({
      namespace: 'ml',
      name: 'late',
      containers: [{ name: 'main', devices: { [gpu]: 1 } }],
    });
    await until('failed', () => rig.standin.pod(uid)?.phase === 'Failed');
    assert.equal(rig.standin.pod(uid)?.reason, 'UnexpectedAdmissionError');
    assert.equal(
      rig.standin.pod(uid)?.message,
      'Pod was rejected: Allocate failed due to rpc error: code = FailedPrecondition desc = 0000:01:00.0 is leased to another pod; wait until it has ended, which is unexpected',
    );
  });

  test('a refused PreStartContainer keeps the container waiting and is asked again', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    door.preStartAnswer = {
      kind: 'refused',
      reason: 'NotClaimed',
      message: 'the unbind still runs',
    };
    const { rig } = await rigs.started(door);
    const uid = rig.standin.createPod({
      namespace: 'ml',
      name: 'slow',
      containers: [{ name: 'main', devices: { [gpu]: 1 } }],
    });
    const waiting = () => rig.standin.pod(uid)?.containers[0]?.state;
    await until('waiting', () => {
      const state = waiting();
      return state?.kind === 'waiting' && state.reason === 'CreateContainerConfigError';
    });
    const state = waiting();
    assert.equal(
      state?.kind === 'waiting' ? state.message : '',
      'device plugin PreStartContainer rpc failed with err: rpc error: code = Unavailable desc = the unbind still runs',
    );
    door.preStartAnswer = { kind: 'ready' };
    await until('running', () => rig.standin.pod(uid)?.phase === 'Running');
  });

  test('changes of the offers are one list, and an equal list is not sent', async () => {
    let sent = 0;
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    const { rig, plugins } = await rigs.started(door, {
      metrics: {
        listSent: () => {
          sent += 1;
        },
      },
      timing: { coalesceMs: 30 },
    });
    await until('listed', () => rig.standin.quantity(gpu).allocatable === 1);
    assert.ok(plugins.state().registered);
    assert.equal(sent, 1);
    for (let i = 0; i < 50; i++)
      door.set({ [gpu]: [device('0000:01:00.0', { healthy: i % 2 === 0 })] });
    door.set({ [gpu]: [device('0000:01:00.0', { healthy: false })] });
    await until('withdrawn', () => rig.standin.quantity(gpu).allocatable === 0);
    assert.equal(sent, 2);
    door.set({ [gpu]: [device('0000:01:00.0', { healthy: false })] });
    await pause(60);
    assert.equal(sent, 2);
  });

  test('resources appear and disappear: the last list is empty, then the server closes', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    const { rig, plugins } = await rigs.started(door);
    await until('registered', () => plugins.state().registered);
    door.set({ [gpu]: [device('0000:01:00.0')], [nic]: [device('0000:03:00.0')] });
    await until('the new one', () => rig.standin.quantity(nic).allocatable === 1);
    door.set({ [nic]: [device('0000:03:00.0')] });
    await until('empty', () => rig.standin.quantity(gpu).capacity === 0);
    await until('closed', async () => (await rig.sockets()).length === 1);
    assert.deepEqual(
      plugins.state().resources.map((one) => one.resource),
      [nic],
    );
    door.set({ [gpu]: [device('0000:01:00.0')], [nic]: [device('0000:03:00.0')] });
    await until('back', () => rig.standin.quantity(gpu).allocatable === 1);
  });

  test('a resource that comes back while it retires keeps its server', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    const { rig, plugins } = await rigs.started(door);
    await until('registered', () => plugins.state().registered);
    const before = await rig.sockets();
    door.set({});
    await until('empty', () => rig.standin.quantity(gpu).capacity === 0);
    door.set({ [gpu]: [device('0000:01:00.0')] });
    await until('back', () => rig.standin.quantity(gpu).allocatable === 1);
    await pause(150);
    assert.deepEqual(await rig.sockets(), before);
  });

  test('a graceful stop ends the streams and leaves no socket', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')], [nic]: [device('0000:03:00.0')] });
    const { rig, plugins } = await rigs.started(door);
    await until('listed', () => rig.standin.quantity(gpu).allocatable === 1);
    const startMs = performance.now();
    await plugins.stop();
    assert.ok(
      performance.now() - startMs < 150,
      'streams were not ended, the drain time was waited out',
    );
    assert.deepEqual(await rig.sockets(), []);
    assert.equal(door.listeners, 0);
    await until('unhealthy at once', () => rig.standin.quantity(gpu).allocatable === 0);
    assert.equal(rig.standin.quantity(gpu).capacity, 1);
    await plugins.stop();
  });

  test('a resource that comes back while its server closes waits until the kubelet has noticed', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    const { rig, plugins } = await rigs.started(door, {
      standin: { streamEndMs: 60 },
      timing: { retireMs: 20, settleMs: 150, streamlessMs: 60_000 },
    });
    await until('listed', () => rig.standin.quantity(gpu).allocatable === 1);
    door.set({});
    await until('closing', () => plugins.state().resources.length === 0);
    door.set({ [gpu]: [device('0000:01:00.0')] });
    await until('registered again', () => rig.events('kubelet-registered').length === 2);
    await pause(120);
    assert.equal(
      rig.standin.quantity(gpu).allocatable,
      1,
      'the end of the old stream took it down',
    );
  });
});
