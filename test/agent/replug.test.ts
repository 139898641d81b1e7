// A member that comes and goes while a pod has its group.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Node } from './node.ts';

test('a companion that is pulled out while a pod has the group, and put back after it, completes the group again', async () => {
  const node = await Node.up();
  const companion = '0000:00:05.1' as never;
  const spec = node.world.model.machine.devices.get(companion)?.spec;
  assert.ok(spec);
  const uid = node.pod('a');
  await node.run(3_000);
  void node.world.model.control.hotRemove(companion);
  await node.run(1_000);
  node.world.kubelet.deletePod(uid, { graceMs: 0 });
  for (let turn = 0; turn < 5_000 && node.driver('0000:00:05.0') !== 'e1000'; turn++)
    await node.run(10);
  assert.equal(node.driver('0000:00:05.0'), 'e1000');
  void node.world.model.control.hotAdd(spec);
  await node.run(3_000);
  assert.equal(node.group().members.length, 2);
  assert.equal(node.group().resourceName, 'example.com/nic');
  node.down();
});
