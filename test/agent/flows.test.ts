import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ResourceName } from '../../src/policy/policy.ts';
import { Node, policy } from './node.ts';

const gone = 40_000;

describe('a pod and its group', () => {
  test('gets the whole group on demand, and the host gets its drivers back when the pod is gone', async () => {
    const node = await Node.up();
    assert.equal(node.driver('0000:00:05.0'), 'e1000');
    const uid = node.pod('a');
    await node.run(2_000);
    assert.equal(node.state(uid), 'Running');
    assert.equal(node.group().phase, 'Assigned');
    assert.deepEqual(
      [node.driver('0000:00:05.0'), node.driver('0000:00:05.1')],
      ['vfio-pci', 'vfio-pci'],
    );
    node.world.kubelet.deletePod(uid, { graceMs: 0 });
    await node.run(gone);
    assert.equal(node.group().phase, 'WithHost');
    assert.deepEqual(
      [node.driver('0000:00:05.0'), node.driver('0000:00:05.1')],
      ['e1000', 'e1000'],
    );
    assert.deepEqual(node.world.records(), []);
    node.down();
  });

  test('a second pod for the same group waits until the first is gone', async () => {
    const node = await Node.up();
    const first = node.pod('a');
    // The lists of a kubelet that has just started do not count.
    await node.run(gone);
    const second = node.pod('b');
    await node.run(5_000);
    assert.equal(node.state(second), 'Pending Unschedulable');
    node.world.kubelet.deletePod(first, { graceMs: 0 });
    await node.run(gone);
    assert.equal(node.state(second), 'Running');
    node.down();
  });

  test('a pod that comes right after the last tenant takes the group over without a detour by the host', async () => {
    const node = await Node.up();
    const first = node.pod('a');
    // Long enough for the kubelet's lists to count.
    await node.run(gone);
    const second = node.pod('b');
    await node.run(1_000);
    node.world.model.clearJournal();
    node.world.kubelet.deletePod(first, { graceMs: 0 });
    await node.run(4_000);
    assert.equal(node.state(second), 'Running');
    const binds = node.world.model.journal().filter((write) => write.path.endsWith('/bind'));
    assert.deepEqual(binds, []);
    node.down();
  });

  test('a pod that waited for a tenant of a few seconds gets the group, though the kubelet is young', async () => {
    const node = await Node.up();
    const first = node.pod('a');
    await node.run(3_000);
    const second = node.pod('b');
    await node.run(1_000);
    node.world.kubelet.deletePod(first, { graceMs: 0 });
    await node.run(4_000);
    assert.equal(node.state(second), 'Running');
    node.down();
  });

  test('a companion through another resource name is never handed out beside it', async () => {
    const audio = policy({
      name: 'second',
      resourceName: 'example.com/second' as ResourceName,
      devices: [{ address: '0000:00:05.1' }],
    });
    const node = await Node.up({ policies: [policy({ priority: 1 }), audio] });
    const first = node.pod('a');
    const second = node.pod('b', 'example.com/second');
    await node.run(3_000);
    assert.equal(node.state(first), 'Running');
    assert.equal(node.state(second), 'Pending Unschedulable');
    assert.match(node.group().passed[0]?.message ?? '', /goes to policy nic/);
    node.down();
  });

  test('an init container hands its devices on to the container of the same pod', async () => {
    const node = await Node.up();
    const devices = { 'example.com/nic': 1 };
    const uid = node.world.kubelet.createPod({
      namespace: 'test',
      name: 'init',
      initContainers: [{ name: 'prepare', devices, exits: { afterMs: 500, code: 0 } }],
      containers: [{ name: 'main', devices }],
    });
    await node.run(5_000);
    assert.equal(node.state(uid), 'Running');
    node.down();
  });

  test('a crash loop keeps its group', async () => {
    const node = await Node.up();
    const uid = node.pod('loop', 'example.com/nic', { exits: { afterMs: 1_000, code: 1 } });
    await node.run(60_000);
    assert.equal(node.group().phase, 'Assigned');
    assert.ok((node.pods(uid).containers[0]?.restarts ?? 0) >= 2);
    node.down();
  });
});

describe('what the agent refuses', () => {
  test('a full disk: the claim is refused, and nothing is written to sysfs', async () => {
    const node = await Node.up();
    node.world.recordFault = 'refused';
    node.world.model.clearJournal();
    const uid = node.pod('a');
    await node.run(2_000);
    assert.equal(node.state(uid), 'Failed UnexpectedAdmissionError');
    assert.match(node.message(uid), /could not be written down, so nothing was taken/);
    assert.deepEqual(node.world.model.journal(), []);
    assert.equal(node.driver('0000:00:05.0'), 'e1000');
    node.down();
  });

  test('a record that cannot be read: the group is Faulted, not forgotten, and nobody gets it', async () => {
    const node = await Node.up();
    node.pod('a');
    await node.run(2_000);
    node.world.killAgent();
    // The checker takes the unreadable record for one that ended.
    for (const member of ['0000:00:05.0', '0000:00:05.1']) node.world.disturbed.add(member);
    const [name = ''] = node.world.disk.files.keys();
    node.world.disk.files.set(name, '{"cut');
    node.world.startAgent();
    await node.run(5_000);
    assert.equal(node.group().phase, 'Faulted');
    assert.equal(node.group().fault?.reason, 'RecordUnreadable');
    assert.equal(node.group().healthy, false);
    assert.equal(node.driver('0000:00:05.0'), 'vfio-pci', 'nothing was touched');
    node.down();
  });

  test('a cordoned group is not offered, and its tenant stays', async () => {
    const node = await Node.up();
    const uid = node.pod('a');
    await node.run(2_000);
    node.world.agent?.setCordons(new Map([['0000:00:05.0' as never, 'RMA 4711']]));
    await node.run(2_000);
    assert.equal(node.state(uid), 'Running');
    assert.equal(node.group().healthy, true, 'a leased device stays healthy for its pod');
    node.world.kubelet.deletePod(uid, { graceMs: 0 });
    await node.run(gone);
    assert.equal(node.group().healthy, false);
    assert.match(node.group().why ?? '', /RMA 4711/);
    node.down();
  });
});

describe('changes on the host', () => {
  test('a companion that is plugged into a leased group makes it degraded, and nobody touches it', async () => {
    const node = await Node.up();
    const uid = node.pod('a');
    await node.run(2_000);
    const spec = node.world.setup.spec.devices.find((one) => one.address === '0000:00:05.1');
    assert.ok(spec);
    const added = '0000:00:05.2' as typeof spec.address;
    node.world.disturbed.add(added);
    await node.world.model.control.hotAdd({ ...spec, address: added });
    await node.run(3_000);
    assert.match(node.group().why ?? '', /a device has joined the group/);
    assert.equal(node.state(uid), 'Running');
    node.world.kubelet.deletePod(uid, { graceMs: 0 });
    await node.run(gone + 20_000);
    assert.deepEqual(
      [node.driver('0000:00:05.0'), node.driver('0000:00:05.1')],
      ['e1000', 'e1000'],
    );
    node.down();
  });

  test('a policy that goes leaves the tenant alone, and the group goes back after it', async () => {
    const node = await Node.up();
    const uid = node.pod('a');
    await node.run(2_000);
    node.world.agent?.setPolicies([]);
    await node.run(5_000);
    assert.equal(node.state(uid), 'Running');
    node.world.kubelet.deletePod(uid, { graceMs: 0 });
    await node.run(gone);
    assert.equal(node.driver('0000:00:05.0'), 'e1000');
    assert.deepEqual(node.world.agent?.views(), []);
    node.down();
  });

  test('a probe that fails for good is told, and the host gets its devices back', async () => {
    const node = await Node.up();
    node.world.model.control.inject({
      kind: 'probe-errno',
      address: '0000:00:05.1' as never,
      driver: 'vfio-pci',
      errno: 'EIO',
    });
    const uid = node.pod('a');
    await node.run(40_000);
    assert.notEqual(node.state(uid), 'Running');
    assert.match(node.message(uid), /vfio-pci/);
    assert.equal(node.driver('0000:00:05.0'), 'e1000');
    node.down();
  });
});
