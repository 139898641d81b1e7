import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupsAtBoot } from '../../../src/kernel/model/grouping.ts';
import type { MachineSpec } from '../../../src/kernel/model/spec.ts';
import {
  bundledTopology,
  bundledTopologyNames,
  isBundledTopology,
} from '../../../src/kernel/model/topology-bundled.ts';
import { exportTopology, topologyData } from '../../../src/kernel/model/topology-export.ts';
import { parseTopology } from '../../../src/kernel/model/topology.ts';

function groupsOf(spec: MachineSpec): string[] {
  const own = new Map(spec.devices.map((device) => [device.address, device.group]));
  const members = new Map<number, string[]>();
  for (const [address, group] of groupsAtBoot(spec.devices, (a) => own.get(a) ?? null)) {
    members.set(group, [...(members.get(group) ?? []), address.slice('0000:'.length)]);
  }
  return [...members]
    .sort(([a], [b]) => a - b)
    .map(([group, names]) => `${group}: ${names.sort().join(' ')}`);
}

for (const name of bundledTopologyNames) {
  test(`the bundled machine ${name} is usable and comes back equal from its own export`, () => {
    const spec = bundledTopology(name);
    assert.equal(spec.name, name);
    assert.ok(spec.devices.length > 0);
    for (const text of [exportTopology(spec), JSON.stringify(topologyData(spec))]) {
      const again = parseTopology(text, 'other');
      assert.ok(again.ok, again.ok ? '' : JSON.stringify(again.problem.slice(0, 3)));
      // Device by device: the difference of two machines of 1000 functions is nothing to print.
      again.value.devices.forEach((device, i) => assert.deepEqual(device, spec.devices[i]));
      assert.deepEqual({ ...again.value, devices: [] }, { ...spec, devices: [] });
      assert.equal(again.value.devices.length, spec.devices.length);
    }
  });
}

test('a word that is no bundled machine is told apart', () => {
  assert.equal(isBundledTopology('gpu-workstation'), true);
  assert.equal(isBundledTopology('toString'), false);
});

test('the machine of the transcripts has the groups that the recorded kernels gave it', () => {
  assert.deepEqual(groupsOf(bundledTopology('transcripts')), [
    '0: 00:00.0',
    '1: 00:05.0 00:05.1',
    '2: 00:06.0',
    '3: 00:07.0 01:00.0',
    '4: 00:08.0 02:01.0',
    '5: 00:09.0',
    '6: 00:0a.0',
    '7: 00:1f.0 00:1f.2 00:1f.3',
    '8: 04:00.0',
  ]);
});

test('without ACS on the ports, a graphics card shares its group with a disk and the network', () => {
  assert.ok(
    groupsOf(bundledTopology('no-acs')).includes(
      '3: 00:1c.0 00:1c.4 00:1c.6 02:00.0 03:00.0 03:00.1 04:00.0',
    ),
  );
});

test('the GPU of the workstation and its three companions are one group', () => {
  const gpu = groupsOf(bundledTopology('gpu-workstation')).find((line) => line.includes('01:00.0'));
  assert.equal(gpu, '10: 01:00.0 01:00.1 01:00.2 01:00.3');
});

test('one group of the two-node machine has devices of both nodes', () => {
  const spec = bundledTopology('two-numa');
  const line = groupsOf(spec).find((text) => text.includes('92:00.0')) ?? '';
  const nodes = spec.devices
    .filter((device) => line.includes(device.address.slice('0000:'.length)))
    .filter((device) => device.header === 'endpoint')
    .map((device) => device.numaNode);
  assert.deepEqual(new Set(nodes), new Set([0, 1]));
});

test('the large machine has exactly 1000 functions with differing addresses', () => {
  const spec = bundledTopology('large-1000');
  assert.equal(new Set(spec.devices.map((device) => device.address)).size, 1000);
  assert.equal(spec.processes.length, 300);
});
