import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { defaultRequestLimits } from '../../src/kubelet/requests.ts';
import { InProcessEndpoint } from '../../src/standin/in-process.ts';
import { isExtendedResourceName } from '../../src/standin/registry.ts';
import { pause, until } from '../kubelet/real-time.ts';
import { Rigs } from '../kubelet/rig.ts';
import { device, resourceName, TestDoor } from '../kubelet/test-door.ts';
import { World } from './world.ts';

const gpu = 'example.com/gpu';

function endpointOf(world: World, door: TestDoor): InProcessEndpoint {
  return new InProcessEndpoint({
    door,
    resource: resourceName(gpu),
    clock: world.clock,
    log: silentLog,
    limits: defaultRequestLimits,
  });
}

describe('registration with the stand-in', () => {
  const register = (world: World, endpoint: InProcessEndpoint | string, version = 'v1beta1') =>
    world.kubelet.register({ version, endpoint: 'x.sock', resource: gpu }, () =>
      Promise.resolve(endpoint),
    );

  test('refuses other versions, names that are not extended resources, and who does not answer', async () => {
    const world = new World(new TestDoor());
    world.kubelet.start();
    const endpoint = endpointOf(world, new TestDoor());
    assert.deepEqual(await register(world, endpoint, 'v1'), {
      kind: 'refused',
      message:
        'requested API version "v1" is not supported by kubelet. Supported version is ["v1beta1"]',
    });
    const named = await world.kubelet.register(
      { version: 'v1beta1', endpoint: 'x.sock', resource: 'gpu' },
      () => Promise.resolve(endpoint),
    );
    assert.deepEqual(named, { kind: 'refused', message: 'the ResourceName "gpu" is invalid' });
    assert.deepEqual(await register(world, 'failed to dial'), {
      kind: 'refused',
      message: 'failed to dial',
    });
    endpoint.close();
    const broken = await register(world, endpoint);
    assert.match(
      JSON.stringify(broken),
      /failed to get device plugin options: rpc error: code = Unavailable/,
    );
    world.kubelet.stop();
    assert.deepEqual(await register(world, endpoint), {
      kind: 'refused',
      message: 'no kubelet is running',
    });
  });

  const names: readonly (readonly [string, boolean])[] = [
    ['nvidia.com/GA102GL_A40', true],
    ['acme.io/nic-x', true],
    ['a/b', true],
    ['gpu', false],
    ['kubernetes.io/gpu', false],
    ['x.kubernetes.io/gpu', false],
    ['requests.example.com/gpu', false],
    ['example.com/gpu/x', false],
    ['Example.com/gpu', false],
    ['example.com/-gpu', false],
    [`example.com/${'x'.repeat(64)}`, false],
  ];
  for (const [name, legal] of names) {
    test(`${name} is ${legal ? 'a' : 'no'} name of an extended resource`, () => {
      assert.equal(isExtendedResourceName(name), legal);
    });
  }

  for (const race of [true, false]) {
    test(`the end of an old stream ${race ? 'takes the new registration down' : 'does nothing with the race switched off'}`, async () => {
      const world = new World(new TestDoor(), { runClientRace: race });
      world.kubelet.start();
      const old = endpointOf(world, new TestDoor({ [gpu]: [device('a')] }));
      const next = endpointOf(world, new TestDoor({ [gpu]: [device('a'), device('b')] }));
      await register(world, old);
      await register(world, next);
      await world.run(2000);
      assert.deepEqual(world.kubelet.quantity(gpu), { capacity: 2, allocatable: 2 });
      old.close();
      await world.run(2000);
      assert.deepEqual(world.kubelet.quantity(gpu), { capacity: 2, allocatable: race ? 0 : 2 });
    });
  }

  test('a list replaces the one before, whoever sends it', async () => {
    const world = new World(new TestDoor());
    world.kubelet.start();
    const door = new TestDoor({ [gpu]: [device('a'), device('b', { healthy: false })] });
    await register(world, endpointOf(world, door));
    await world.run(1500);
    assert.deepEqual(world.kubelet.quantity(gpu), { capacity: 2, allocatable: 1 });
    door.set({ [gpu]: [] });
    await world.run(1500);
    assert.deepEqual(world.kubelet.quantity(gpu), { capacity: 0, allocatable: 0 });
  });

  test('a connection that breaks fails the calls that run on it', async () => {
    const world = new World(new TestDoor());
    const door = new TestDoor({ [gpu]: [device('a')] });
    door.mood = 'hang';
    const endpoint = endpointOf(world, door);
    const calls = [endpoint.allocate(['a']), endpoint.preStart(['a'], 30_000)];
    endpoint.close();
    for (const call of calls) {
      assert.deepEqual(await call, {
        kind: 'failed',
        code: 14,
        details: 'error reading from server: EOF',
      });
    }
    assert.equal((await endpoint.getOptions()).kind, 'failed');
  });

  test('with the race, an agent in one process that was dropped comes back by itself', async () => {
    const world = new World(new TestDoor({ [gpu]: [device('a')] }));
    await world.up();
    world.kubelet.dropPlugin(gpu);
    await world.run(2000);
    assert.equal(world.kubelet.quantity(gpu).allocatable, 0);
    await world.run(10_000);
    assert.equal(world.kubelet.quantity(gpu).allocatable, 1);
  });
});

describe('the stand-in on sockets', () => {
  const rigs = new Rigs();
  after(() => rigs.stopAll());

  test('a list of more than 4 MiB ends the stream, and every device is unhealthy', async () => {
    const door = new TestDoor({ [gpu]: [device('a')] });
    const { rig } = await rigs.started(door, { timing: { streamlessMs: 60_000 } });
    await until('listed', () => rig.standin.quantity(gpu).allocatable === 1);
    door.set({
      [gpu]: Array.from({ length: 60_000 }, (_, index) =>
        device(`${'x'.repeat(57)}${String(index).padStart(6, '0')}`),
      ),
    });
    await until('unhealthy', () => rig.standin.quantity(gpu).allocatable === 0);
    assert.equal(rig.standin.quantity(gpu).capacity, 1);
    door.set({ [gpu]: [device('a')] });
    await pause(50);
    assert.equal(rig.standin.quantity(gpu).allocatable, 0);
  });

  test('a start empties the folder of sockets and leaves other files', async () => {
    const { writeFile, readdir } = await import('node:fs/promises');
    const { rig } = await rigs.started(new TestDoor({ [gpu]: [device('a')] }));
    await until('listed', () => rig.standin.quantity(gpu).allocatable === 1);
    const [before] = await rig.sockets();
    await writeFile(`${rig.pluginFolder}/kubelet_internal_checkpoint`, '{}');
    await rig.kubelet.restart();
    await until('listed again', () => rig.standin.quantity(gpu).allocatable === 1);
    const names = await readdir(rig.pluginFolder);
    assert.ok(names.includes('kubelet_internal_checkpoint'));
    assert.ok(!names.includes(before ?? ''));
  });
});
