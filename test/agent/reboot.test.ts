// The node comes back with other group numbers: what pods were promised before, and what the next ones are.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Node } from './node.ts';

/** Boots, each time with an agent that has a minute, until the group has another number. */
async function rebootWithOtherNumber(node: Node): Promise<void> {
  const before = node.group().groupNumber;
  for (let turn = 0; turn < 4 && node.group().groupNumber === before; turn++) {
    node.world.reboot(true);
    node.world.startAgent();
    await node.run(60_000);
  }
  assert.notEqual(node.group().groupNumber, before, 'the group has another number now');
}

describe('after a reboot', () => {
  test('after a reboot with other group numbers the same pod comes back with today’s nodes, by CDI', async () => {
    const node = await Node.up({ delivery: 'cdi' });
    const uid = node.pod('a');
    await node.run(2_000);
    await rebootWithOtherNumber(node);
    assert.equal(node.state(uid), 'Running');
    assert.equal(node.driver('0000:00:05.0'), 'vfio-pci');
    node.down();
  });

  test('after a reboot with other group numbers a pod that was promised device nodes is refused, with the reason', async () => {
    const node = await Node.up({ delivery: 'device-nodes' });
    const uid = node.pod('a');
    await node.run(2_000);
    await rebootWithOtherNumber(node);
    assert.notEqual(node.state(uid), 'Running');
    assert.match(
      node.message(uid),
      /was promised \/dev\/vfio\/\d+, which is not this group's node/,
    );
    node.down();
  });

  for (const to of ['device-nodes', 'cdi'] as const) {
    test(`what a pod was promised outlives a change of delivery to ${to}, over a reboot too`, async () => {
      const from = to === 'cdi' ? 'device-nodes' : 'cdi';
      const node = await Node.up({ delivery: from });
      const uid = node.pod('a');
      await node.run(2_000);
      node.world.delivery = to;
      await rebootWithOtherNumber(node);
      if (from === 'cdi') assert.equal(node.state(uid), 'Running');
      else assert.match(node.message(uid), /was promised \/dev\/vfio\/\d+/);
      node.world.kubelet.deletePod(uid);
      await node.run(60_000);
      assert.equal(node.driver('0000:00:05.0'), 'e1000');
      assert.deepEqual([...node.world.specs.keys()], []);
      node.down();
    });
  }

  test('after a reboot the next pod gets the nodes of today, though the lease of the last one was never ended', async () => {
    const node = await Node.up({ delivery: 'device-nodes' });
    const uid = node.pod('a');
    await node.run(2_000);
    const before = node.group().groupNumber;
    const now = (): number | null | undefined =>
      node.world.model.bindingOf('0000:00:05.0' as never)?.group;
    for (let turn = 0; turn < 4 && now() === before; turn++) node.world.reboot(true);
    assert.notEqual(now(), before, 'the group has another number now');
    node.world.kubelet.deletePod(uid, { force: true });
    node.world.startAgent();
    // Whoever owns the pod makes it anew until the kubelet's lists count and it is admitted.
    let next = uid;
    for (let turn = 0; turn < 400; turn++) {
      next = node.pod(`b-${turn}`);
      for (let wait = 0; wait < 1_500 && node.state(next).startsWith('Pending'); wait++)
        await node.run(20);
      if (!node.state(next).startsWith('Failed')) break;
      node.world.kubelet.deletePod(next);
      await node.run(250);
    }
    await node.run(60_000);
    assert.equal(node.state(next), 'Running', node.message(next));
    assert.equal(node.group().groupNumber, now());
    node.down();
  });
});
