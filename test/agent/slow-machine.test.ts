// What happens in between: a machine that answers slowly lets other things happen between two calls of the agent.
// Each of these was found by the simulation.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AllocateAnswer, PreStartAnswer } from '../../src/kubelet/door.ts';
import type { ResourceName } from '../../src/policy/policy.ts';
import { Node, policy } from './node.ts';

const resource = 'example.com/nic' as ResourceName;
const leader = '0000:00:05.0';
const companion = '0000:00:05.1';
const gone = 40_000;

function allocate(node: Node): Promise<AllocateAnswer> {
  assert.ok(node.world.agent);
  return node.world.agent.allocate(resource, [leader]);
}

/** Lets time pass while `asked` is on its way. */
async function within<T>(node: Node, ms: number, asked: Promise<T>): Promise<T> {
  const answered = asked.then((answer) => ({ answer }));
  await node.run(ms);
  const settled = await Promise.race([answered, Promise.resolve(null)]);
  assert.ok(settled, `no answer within ${ms} ms`);
  return settled.answer;
}

test('a pod that comes while a return looks around gets the group as it is, and it stays so', async () => {
  let looking = false;
  let isReturning = (): boolean => false;
  const node = await Node.up({
    slowness: (what) => {
      looking ||= what === `read /sys/bus/pci/devices/${leader}/enable` && isReturning();
      return looking && what.endsWith('/enable') ? 100 : 0;
    },
  });
  isReturning = () => node.world.records()[0]?.phase === 'Returning';
  const uid = node.pod('a');
  await node.run(gone);
  node.world.kubelet.deletePod(uid, { graceMs: 0 });
  const isLooking = (): boolean => looking;
  for (let waitedMs = 0; !isLooking() && waitedMs < gone; waitedMs += 10) await node.run(10);
  // The look of the ended lease and then the one right before the unbind.
  await node.run(150);
  const answer = await within(node, 2_000, allocate(node));
  assert.equal(answer.kind, 'granted', JSON.stringify(answer));
  assert.ok(node.world.agent);
  const start: PreStartAnswer = await within(
    node,
    5_000,
    node.world.agent.preStart(resource, [leader], 25_000),
  );
  assert.deepEqual(start, { kind: 'ready' });
  assert.deepEqual([node.driver(leader), node.driver(companion)], ['vfio-pci', 'vfio-pci']);
  node.down();
});

test('a group that is pulled out while it is being allocated leaves no record behind', async () => {
  let slow = false;
  const node = await Node.up({
    slowness: (what) => (slow && what.endsWith(`${leader}/driver_override`) ? 1_500 : 0),
  });
  slow = true;
  const answered = allocate(node);
  await node.run(100);
  for (const address of [leader, companion])
    void node.world.model.control.hotRemove(address as never);
  await within(node, 5_000, answered);
  await node.run(2 * gone);
  assert.deepEqual(node.world.records(), []);
  node.down();
});

test('a group whose leader is gone before the next survey is not taken without it', async () => {
  let slow = false;
  const node = await Node.up({
    slowness: (what) => (slow && what === 'list /sys/kernel/iommu_groups' ? 1_500 : 0),
  });
  slow = true;
  void node.world.model.control.hotRemove(leader as never);
  await node.run(200);
  const answer = await within(node, 1_000, allocate(node));
  assert.equal(answer.kind, 'refused');
  assert.match(answer.message, /0000:00:05.0 has left the group/);
  assert.deepEqual(node.world.records(), []);
  node.down();
});

test('two policies that want one group under two leaders, one after the other, make one claim of it', async () => {
  let slow = false;
  const first = policy({ binding: 'Eager' });
  const second = policy({ binding: 'Eager', devices: [{ address: companion }] });
  const node = await Node.up({
    policies: [],
    slowness: (what) => (slow && what.endsWith(`${leader}/driver_override`) ? 500 : 0),
  });
  slow = true;
  node.world.agent?.setPolicies([first]);
  await node.run(600);
  node.world.agent?.setPolicies([second]);
  await node.run(10);
  slow = false;
  for (let turn = 0; turn < 200; turn++) {
    await node.run(20);
    assert.ok(node.world.records().length <= 1, 'one record for one group');
  }
  assert.equal(node.group(companion).phase, 'Claimed');
  node.down();
});
