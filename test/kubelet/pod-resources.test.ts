import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { HoldersAnswer } from '../../src/kubelet/pods.ts';
import { holdersIn, PodResourcesClient } from '../../src/kubelet/pods/pod-resources.ts';
import { pause, realClock, until } from './real-time.ts';
import { podResourcesWire, Rigs, type Rig } from './rig.ts';
import { device, TestDoor } from './test-door.ts';

const gpu = 'example.com/gpu';

describe('the pod resources client', () => {
  const rigs = new Rigs();
  const clients: PodResourcesClient[] = [];
  after(async () => {
    for (const client of clients) client.close();
    await rigs.stopAll();
  });
  const clientOf = (rig: Rig, minIntervalMs = 0): PodResourcesClient => {
    const client = new PodResourcesClient({
      folder: rig.podResourcesFolder,
      wire: podResourcesWire,
      clock: realClock,
      rates: { minIntervalMs, fresh: { perSecond: 1000, burst: 10 } },
      deadlineMs: 1000,
    });
    clients.push(client);
    return client;
  };
  const holders = (answer: HoldersAnswer) => {
    assert.equal(answer.kind, 'holders');
    return answer.kind === 'holders' ? answer.holders : [];
  };
  const running = async (numaNodes: readonly number[]) => {
    const made = await rigs.started(
      new TestDoor({ [gpu]: [device('0000:01:00.0', { numaNodes })] }),
    );
    const uid = made.rig.standin.createPod({
      namespace: 'ml',
      name: 'train-0',
      containers: [
        { name: 'main', devices: { [gpu]: 1 } },
        { name: 'log', devices: {} },
      ],
    });
    await until('running', () => made.rig.standin.pod(uid)?.phase === 'Running');
    return { ...made, uid };
  };

  test('lists who holds what, a device on two NUMA nodes once', async () => {
    const { rig } = await running([0, 1]);
    const raw = rig.standin.list()?.[0]?.containers[0]?.devices.map((one) => one.numaNode);
    assert.deepEqual(raw, [0, 1]);
    assert.deepEqual(holders(await clientOf(rig).list()), [
      {
        namespace: 'ml',
        pod: 'train-0',
        container: 'main',
        resource: gpu,
        deviceIds: ['0000:01:00.0'],
      },
    ]);
  });

  test('a kubelet restart is another incarnation whose age starts anew, with an empty list at first', async () => {
    const { rig } = await running([0]);
    const client = clientOf(rig);
    const first = await client.list();
    await pause(30);
    const second = await client.list();
    await rig.kubelet.restart();
    const third = await client.list();
    assert.ok(first.kind === 'holders' && second.kind === 'holders' && third.kind === 'holders');
    assert.equal(first.kubeletUpMs, 0);
    assert.ok(second.kubeletUpMs >= 30);
    assert.equal(second.kubeletIncarnation, first.kubeletIncarnation);
    assert.notEqual(third.kubeletIncarnation, first.kubeletIncarnation);
    assert.equal(third.kubeletUpMs, 0);
    assert.deepEqual(third.holders, []);
    await until('listed again', async () => holders(await client.list()).length === 1);
  });

  test('a kubelet that is down is told, and the next one is found', async () => {
    const { rig } = await running([0]);
    const client = clientOf(rig);
    assert.equal((await client.list()).kind, 'holders');
    await rig.kubelet.kill();
    const down = await client.list();
    assert.equal(down.kind, 'unreachable');
    assert.match(down.kind === 'unreachable' ? down.why : '', /^UNAVAILABLE: /);
    await rig.kubelet.start();
    assert.equal((await client.list()).kind, 'holders');
    await rig.kubelet.stop();
    assert.match(JSON.stringify(await client.list()), /kubelet.sock is not there/);
  });

  test('callers share an answer, and none gets one that was asked before its call', async () => {
    const { rig } = await running([0]);
    const client = clientOf(rig, 60);
    const together = await Promise.all([client.list(), client.list(), client.list()]);
    assert.equal(new Set(together).size, 1);
    const calledAtMs = realClock.monotonicMs();
    const later = await client.list();
    assert.ok(later.kind === 'holders' && together[0]?.kind === 'holders');
    assert.ok(later.askedAtMs >= calledAtMs);
    assert.ok(later.askedAtMs - together[0].askedAtMs >= 58);
  });

  test('the kubelet’s rate limit is an answer, not an empty list', async () => {
    const { rig } = await running([0]);
    const client = clientOf(rig);
    const kinds = new Set<string>();
    for (let i = 0; i < 60; i++) kinds.add((await client.list()).kind);
    assert.ok(kinds.has('unreachable'), 'the stand-in allows ten at once');
    await pause(100);
    assert.equal(holders(await client.list()).length, 1);
  });

  test('a closed client answers that the agent is stopping', async () => {
    const { rig } = await running([0]);
    const client = clientOf(rig, 5000);
    await client.list();
    const waiting = client.list();
    client.close();
    assert.deepEqual(await waiting, { kind: 'unreachable', why: 'the agent is stopping' });
  });

  test('devices of one container are kept apart by resource', () => {
    const devices = (resource_name: string, ...device_ids: string[]) => ({
      resource_name,
      device_ids,
      topology: null,
    });
    const answer = holdersIn({
      pod_resources: [
        {
          name: 'p',
          namespace: 'n',
          containers: [
            {
              name: 'c',
              devices: [devices(gpu, 'b'), devices('example.com/nic', 'x'), devices(gpu, 'a', 'b')],
              cpu_ids: [],
              memory: [],
              dynamic_resources: [],
            },
          ],
        },
      ],
    });
    assert.deepEqual(
      answer.map((one) => [one.resource, one.deviceIds]),
      [
        [gpu, ['a', 'b']],
        ['example.com/nic', ['x']],
      ],
    );
  });
});
