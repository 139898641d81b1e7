import assert from 'node:assert/strict';
import { link, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { CodedError } from '../../src/base/errors.ts';
import { silentLog } from '../../src/base/log.ts';
import { seededRandom } from '../../src/base/random.ts';
import { noDevicePluginMetrics } from '../../src/kubelet/metrics.ts';
import { defaultRequestLimits } from '../../src/kubelet/requests.ts';
import { DevicePlugins } from '../../src/kubelet/server/device-plugins.ts';
import { realClock, until } from './real-time.ts';
import { Rigs, devicePluginWire, quickTiming } from './rig.ts';
import { device, resourceName, TestDoor } from './test-door.ts';

const gpu = 'example.com/gpu';

describe("sockets in the kubelet's folder", () => {
  const rigs = new Rigs();
  after(() => rigs.stopAll());

  test('a stop does not wait for a kubelet that hangs in Register', async () => {
    const rig = await rigs.bare({ timing: { registerMs: 60_000 } });
    const connections = new Set<Socket>();
    const silent = createServer((socket) => connections.add(socket));
    await new Promise<void>((resolve) => {
      silent.listen(join(rig.pluginFolder, 'kubelet.sock'), resolve);
    });
    const plugins = rig.plugins(new TestDoor({ [gpu]: [device('0000:01:00.0')] }));
    try {
      await plugins.start();
      await until('it has dialled the kubelet', () => connections.size > 0);
      await plugins.stop();
      assert.deepEqual(await rig.sockets(), []);
    } finally {
      for (const socket of connections) socket.destroy();
      silent.close();
    }
  });

  test('sockets that a killed agent left are removed; those of a living one and of others are not', async () => {
    const rig = await rigs.bare();
    await rig.kubelet.start();
    const living = rig.plugins(new TestDoor({ [gpu]: [device('0000:01:00.0')] }));
    await living.start();
    await until('registered', () => living.state().registered);
    const [kept = ''] = await rig.sockets();
    for (const name of ['wg-deadbeef-000001.sock', 'vendor.sock']) {
      const path = join(rig.pluginFolder, name);
      const dead = createServer();
      await new Promise<void>((resolve) => {
        dead.listen(path, resolve);
      });
      await link(path, `${path}.x`);
      await new Promise((resolve) => {
        dead.close(resolve);
      });
      await rename(`${path}.x`, path);
    }
    await writeFile(join(rig.pluginFolder, 'wg-deadbeef-000002.sock'), 'a file, not a socket');
    const plugins = rig.plugins(new TestDoor({}));
    await plugins.start();
    assert.deepEqual(await rig.sockets(), ['wg-deadbeef-000002.sock', kept].sort());
    assert.deepEqual(rig.events('kubelet-stale-sockets-removed')[0]?.fields['removed'], [
      'wg-deadbeef-000001.sock',
    ]);
    assert.ok((await readdir(rig.pluginFolder)).includes('vendor.sock'));
  });

  test('a folder whose path is too long for a socket is refused, naming the flag and the limit', async () => {
    const rig = await rigs.bare();
    const deep = join(rig.folder, 'x'.repeat(90));
    await mkdir(deep);
    const plugins = new DevicePlugins({
      folder: deep,
      door: new TestDoor(),
      wire: devicePluginWire,
      clock: realClock,
      random: seededRandom(1),
      log: silentLog,
      metrics: noDevicePluginMetrics,
      limits: defaultRequestLimits,
      timing: quickTiming,
    });
    await assert.rejects(plugins.start(), (problem: unknown) => {
      assert.ok(problem instanceof CodedError);
      assert.equal(problem.code, 'WG_KUBELET_SOCKET_FAILED');
      assert.match(
        problem.message,
        /^--kubelet-dir: the socket path .* has \d+ bytes; .* at most 107$/,
      );
      return true;
    });
  });

  test('a resource name that the kubelet does not take is told, and tried again', async () => {
    const bad = resourceName('kubernetes.io/gpu');
    const door = new TestDoor({ [bad]: [device('0000:01:00.0')] });
    const { rig, plugins } = await rigs.started(door);
    await until('told', () => rig.events('kubelet-register-failed').length > 0);
    assert.equal(
      plugins.state().resources[0]?.problem,
      'UNKNOWN: the ResourceName "kubernetes.io/gpu" is invalid',
    );
    assert.equal(plugins.state().registered, false);
  });
});
