// The policy that explain sketches is a valid one, and offers exactly the group it was sketched for.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { parsePolicyObject } from '../../src/api/policy-in-force.ts';
import { silentLog } from '../../src/base/log.ts';
import { VirtualClock } from '../../src/base/virtual-clock.ts';
import { previewClaim } from '../../src/cli/claim-preview.ts';
import { lookAtMachine } from '../../src/cli/look-at-machine.ts';
import { sketchLines } from '../../src/cli/render/policy-sketch.ts';
import { groupReport } from '../../src/cli/render/report.ts';
import { KernelModel } from '../../src/kernel/model/kernel-model.ts';
import type { MachineSpec } from '../../src/kernel/model/spec.ts';
import { bundledTopology } from '../../src/kernel/model/topology-bundled.ts';
import { readTopologyFile } from '../../src/kernel/model/topology.ts';
import { judge } from '../../src/ownership/blockers.ts';
import { endpoints } from '../../src/pci/group.ts';
import { matchPolicies } from '../../src/policy/match.ts';

async function check(spec: MachineSpec): Promise<number> {
  const clock = new VirtualClock();
  const machine = await lookAtMachine(new KernelModel({ spec, clock }), { clock, log: silentLog });
  let sketched = 0;
  for (const look of machine.looks) {
    const report = groupReport(machine.node, look);
    for (const { address } of endpoints(look.group)) {
      const preview = previewClaim(machine.node, look, report, address);
      if (preview?.policy === null || preview?.policy === undefined) continue;
      // What is printed is what -o json has.
      assert.deepEqual(parse(sketchLines(preview.policy).join('\n')), preview.policy);
      const policy = parsePolicyObject(preview.policy);
      assert.ok(policy.ok, JSON.stringify(policy));
      const matched = matchPolicies([look.group], [policy.value], () => null);
      const match = matched.get(look.group.key)?.match;
      assert.ok(match, `${address}: the sketch does not match its own group`);
      const judgement = {
        ...{ look, node: machine.node, pending: new Map(), cordoned: null },
        consent: match.consent,
      };
      const kinds = judge(judgement).map(({ kind }) => kind);
      assert.ok(!kinds.includes('CompanionNotPermitted'), `${address}: ${kinds.join(', ')}`);
      assert.equal(kinds.length === 0, report.releasable, `${address}: ${kinds.join(', ')}`);
      sketched += 1;
    }
  }
  return sketched;
}

for (const name of [
  'gpu-workstation',
  'nvme-lvm',
  'no-acs',
  'sriov-nic-server',
  'two-numa',
] as const) {
  test(`${name}: every sketched policy is valid, matches its group and takes all of it`, async () => {
    assert.ok((await check(bundledTopology(name))) > 3);
  });
}

test('the guest dump: every sketched policy is valid, matches its group and takes all of it', async () => {
  const file = join(import.meta.dirname, '../data/topologies/guest-sysfs-assigned.json');
  assert.ok((await check(await readTopologyFile(file))) > 10);
});
