// The agent or the kubelet is away for a while, and what a boot leaves of groups without a tenant.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ResourceName } from '../../src/policy/policy.ts';
import { Node, policy } from './node.ts';

const gone = 40_000;

describe('when the agent, the kubelet or the node goes down', () => {
  test('an agent that was killed finds the tenant still there and keeps its group', async () => {
    const node = await Node.up();
    const uid = node.pod('a');
    await node.run(2_000);
    node.world.killAgent();
    await node.run(10_000);
    assert.equal(node.driver('0000:00:05.0'), 'vfio-pci');
    node.world.startAgent();
    await node.run(gone);
    assert.equal(node.state(uid), 'Running');
    assert.equal(node.group().phase, 'Assigned');
    assert.equal(node.group().lease?.pod?.name, 'a');
    node.down();
  });

  test('a lease is kept while the kubelet is away, however long', async () => {
    const node = await Node.up();
    node.pod('a');
    await node.run(2_000);
    node.world.kubelet.stop();
    await node.run(600_000);
    assert.equal(node.group().phase, 'Assigned');
    node.down();
  });

  test('after a reboot a pod is refused when its group is offered under another name by now', async () => {
    const node = await Node.up();
    const uid = node.pod('a');
    await node.run(2_000);
    node.world.policies = [policy({ resourceName: 'example.com/renamed' as ResourceName })];
    node.world.reboot(false);
    node.world.startAgent();
    await node.run(60_000);
    assert.notEqual(node.state(uid), 'Running');
    assert.match(node.message(uid), /example\.com\/renamed/);
    assert.equal(node.driver('0000:00:05.0'), 'e1000');
    node.down();
  });

  test('a claimed group without a tenant goes back to the host on a reboot, and its record is forgotten', async () => {
    const node = await Node.up({ policies: [policy({ binding: 'Eager' })] });
    assert.equal(node.group().phase, 'Claimed');
    node.world.policies = [];
    node.world.reboot(false);
    node.world.startAgent();
    await node.run(5_000);
    assert.deepEqual(node.world.records(), []);
    assert.equal(node.driver('0000:00:05.0'), 'e1000');
    node.down();
  });
});
