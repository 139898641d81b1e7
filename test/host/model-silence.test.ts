import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { seededRandom } from '../../src/base/random.ts';
import { createHost } from '../../src/host/create-host.ts';
import { KernelModel } from '../../src/kernel/model/kernel-model.ts';
import { bundledTopology } from '../../src/kernel/model/topology-bundled.ts';
import { type CallName, failingAt, unknownsIn } from './failing-reads.ts';
import { realClock } from './machine.ts';

/**
 * Reads that only give a use its name or its evidence: without them the use is told all the same. And the number of the
 * last uevent: without it everything is read again.
 */
const cosmetic = [
  /^read \/proc\/\d+\/comm$/,
  /^read \/sys\/bus\/usb\/devices\/[^/]+\/product$/,
  /\/md\/array_state$/,
  /^read \/sys\/kernel\/uevent_seqnum$/,
];

async function lookAtAll(kernel: KernelModel, failing: CallName | null, asked: Set<CallName>) {
  const host = createHost({
    kernel: failingAt(kernel, failing, asked),
    clock: realClock,
    log: silentLog,
  });
  const inventory = await host.inventory();
  const looks = await host.look(
    inventory,
    inventory.groups.map((group) => group.key),
  );
  return {
    unknowns: unknownsIn(inventory, looks),
    kinds: looks.flatMap((look) => look.uses.map((use) => `${use.address} ${use.kind}`)).sort(),
  };
}

for (const [topology, share] of [
  ['nvme-lvm', 1],
  ['gpu-workstation', 0.3],
  ['sriov-nic-server', 0.3],
] as const) {
  test(`on ${topology}, whichever read fails, the looks say that they do not know all`, async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    t.diagnostic(`seed ${seed}`);
    const random = seededRandom(seed);
    const kernel = new KernelModel({ spec: bundledTopology(topology), clock: realClock });
    const asked = new Set<CallName>();
    const whole = await lookAtAll(kernel, null, asked);
    assert.equal(whole.unknowns, 0);
    assert.ok(asked.size > 300);
    for (const failing of asked) {
      if (!random.chance(share)) continue;
      const { unknowns, kinds } = await lookAtAll(kernel, failing, new Set());
      if (unknowns > 0) continue;
      // Not a word of it: then nothing may have been lost by it either.
      assert.deepEqual(
        kinds,
        whole.kinds,
        `${failing} failed, uses were lost, and nothing is unknown`,
      );
      const harmless =
        cosmetic.some((pattern) => pattern.test(failing)) ||
        failing === 'list /proc/driver/nvidia/gpus';
      assert.ok(harmless, `${failing} failed silently (seed ${seed})`);
    }
  });
}
