import assert from 'node:assert/strict';
import { rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { pause, until } from './real-time.ts';
import { Rigs } from './rig.ts';
import { device, TestDoor } from './test-door.ts';

const gpu = 'example.com/gpu';
const nic = 'example.com/nic';

describe('device plugins and a kubelet that comes and goes', () => {
  const rigs = new Rigs();
  after(() => rigs.stopAll());

  test('it registers when the kubelet comes later than the agent', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    const rig = await rigs.bare();
    const plugins = rig.plugins(door);
    await plugins.start();
    await pause(30);
    assert.equal(plugins.state().registered, false);
    await rig.kubelet.start();
    await until('registered', () => plugins.state().registered);
    assert.equal(rig.standin.quantity(gpu).capacity <= 1, true);
  });

  test('it starts before the kubelet has made its folder', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    const rig = await rigs.bare();
    await rig.kubelet.stop();
    await rm(rig.pluginFolder, { recursive: true });
    const plugins = rig.plugins(door);
    await plugins.start();
    await until('a problem is told', () => plugins.state().resources[0]?.problem !== null);
    assert.match(plugins.state().resources[0]?.problem ?? '', /cannot serve .*is the folder there/);
    await rig.kubelet.start();
    await until('registered', () => plugins.state().registered);
  });

  test('after a kubelet restart it listens on a new socket and registers once', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    const { rig, plugins } = await rigs.started(door);
    await until('registered', () => plugins.state().registered);
    const uid = rig.standin.createPod({
      namespace: 'ml',
      name: 'stays',
      containers: [{ name: 'main', devices: { [gpu]: 1 } }],
    });
    await until('running', () => rig.standin.pod(uid)?.phase === 'Running');
    const [before] = await rig.sockets();
    await rig.kubelet.restart();
    await until('capacity 0 after the start', () => rig.standin.quantity(gpu).capacity >= 0);
    await until('registered again', () => rig.events('kubelet-registered').length === 2);
    await until('capacity', () => rig.standin.quantity(gpu).allocatable === 1);
    const [now, ...others] = await rig.sockets();
    assert.notEqual(now, before);
    assert.deepEqual(others, []);
    await pause(350);
    assert.equal(rig.events('kubelet-registered').length, 2);
    assert.equal(rig.standin.pod(uid)?.phase, 'Running');
    assert.equal(door.calls.filter((call) => call.startsWith('allocate')).length, 1);
  });

  test('many kubelet restarts in a row leave one socket and a listed resource', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')], [nic]: [device('0000:03:00.0')] });
    const { rig, plugins } = await rigs.started(door);
    for (let i = 0; i < 5; i++) await rig.kubelet.restart();
    await until('registered', () => plugins.state().registered);
    await until('listed', () => rig.standin.quantity(gpu).allocatable === 1);
    await until('two sockets', async () => (await rig.sockets()).length === 2);
  });

  test('while the kubelet is down a stale kubelet.sock is tried with back-off, and the next one at once', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    const { rig, plugins } = await rigs.started(door, {
      timing: { backoffFirstMs: 2000, backoffMaxMs: 4000 },
    });
    await until('registered', () => plugins.state().registered);
    await rig.kubelet.kill();
    await until('a failed attempt', () => rig.events('kubelet-register-failed').length === 1);
    assert.match(String(rig.events('kubelet-register-failed')[0]?.fields['why']), /^UNAVAILABLE: /);
    const startMs = performance.now();
    await rig.kubelet.start();
    await until('registered', () => plugins.state().registered);
    assert.ok(
      performance.now() - startMs < 1000,
      'it waited out a back-off meant for the dead kubelet',
    );
  });

  test('its own socket removed under a living kubelet: the old stream ends before it registers again', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    const { rig, plugins } = await rigs.started(door);
    await until('registered', () => plugins.state().registered);
    const [name = ''] = await rig.sockets();
    await unlink(join(rig.pluginFolder, name));
    await until('registered again', () => rig.events('kubelet-registered').length === 2);
    // The stand-in disconnects by name, as the kubelet does: had the streams overlapped, this would flip.
    await until('listed', () => rig.standin.quantity(gpu).allocatable === 1);
    await pause(250);
    assert.equal(rig.standin.quantity(gpu).allocatable, 1);
    assert.equal(rig.events('kubelet-registered').length, 2);
  });

  test('a lost stream is noticed, and it registers again though kubelet.sock is the same', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    const { rig, plugins } = await rigs.started(door);
    await until('registered', () => plugins.state().registered);
    rig.standin.dropPlugin(gpu);
    await until('registered again', () =>
      rig
        .events('kubelet-reopening')
        .some((line) => /no ListAndWatch stream/.test(String(line.fields['reason']))),
    );
    await until('listed', () => rig.standin.quantity(gpu).allocatable === 1);
    assert.ok(plugins.state().registered);
  });

  test('a kubelet.sock that is new is enough, even when our own socket is still there', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    const { rig } = await rigs.started(door, { timing: { streamlessMs: 60_000 } });
    await until('listed', () => rig.standin.quantity(gpu).allocatable === 1);
    const [before = ''] = await rig.sockets();
    await rig.kubelet.kill();
    assert.deepEqual(await rig.sockets(), [before]);
    await rig.kubelet.start(false);
    await until('registered again', () => rig.events('kubelet-registered').length >= 2);
    await until('listed again', () => rig.standin.quantity(gpu).allocatable === 1);
    assert.equal((await rig.sockets()).length, 1);
  });

  test('a kubelet that is slow to notice the end of our stream does not take the new registration down', async () => {
    const door = new TestDoor({ [gpu]: [device('0000:01:00.0')] });
    const { rig } = await rigs.started(door, {
      standin: { streamEndMs: 60 },
      timing: { settleMs: 150, streamlessMs: 60_000 },
    });
    await until('listed', () => rig.standin.quantity(gpu).allocatable === 1);
    const [name = ''] = await rig.sockets();
    await unlink(join(rig.pluginFolder, name));
    await until('registered again', () => rig.events('kubelet-registered').length === 2);
    await pause(120);
    assert.equal(rig.standin.quantity(gpu).allocatable, 1);
  });
});
