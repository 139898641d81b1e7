import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { groupsAtBoot, vfAddress } from '../../../src/kernel/model/grouping.ts';
import { configFacts, profileOfRelease } from '../../../src/kernel/model/dump-texts.ts';
import type { MachineSpec } from '../../../src/kernel/model/spec.ts';
import { parseTopology, readTopologyFile } from '../../../src/kernel/model/topology.ts';
import { exportTopology } from '../../../src/kernel/model/topology-export.ts';

const dumpFile = (name: string): string =>
  new URL(`../../data/topologies/${name}.json`, import.meta.url).pathname;
const load = (name: string): Promise<MachineSpec> => readTopologyFile(dumpFile(name));

interface RawDump {
  readonly devices: Record<
    string,
    { driver: string | null; iommu_group: string | null; attrs: Record<string, string> }
  >;
}

/** What the dump says of every function, VFs included: group, driver, override. */
async function raw(name: string): Promise<Map<string, string>> {
  const dump = JSON.parse(await readFile(dumpFile(name), 'utf8')) as RawDump;
  const last = (path: string | null): string => path?.split('/').at(-1) ?? 'none';
  return new Map(
    Object.entries(dump.devices).map(([address, { driver, iommu_group, attrs }]) => [
      address,
      `${last(iommu_group)} ${last(driver)} ${attrs['driver_override']}`,
    ]),
  );
}

/** The same three facts of every function of the machine. */
function told(spec: MachineSpec): Map<string, string> {
  const facts = new Map<string, string>();
  const word = (bound: string | null, native: string | null): string => bound ?? native ?? 'none';
  for (const device of spec.devices) {
    const { address, group, bound, nativeDriver, override, sriov } = device;
    facts.set(address, `${group} ${word(bound, nativeDriver)} ${override ?? '(null)'}`);
    sriov?.vfs.forEach((vf, index) =>
      facts.set(
        vfAddress(address, sriov, index),
        `${vf.group} ${word(vf.bound, sriov.vfDriver)} ${vf.override ?? '(null)'}`,
      ),
    );
  }
  return facts;
}

for (const name of ['guest-sysfs', 'guest-sysfs-assigned']) {
  test(`the dump ${name} keeps group, driver and override of every function`, async () => {
    const spec = await load(name);
    const expected = await raw(name);
    assert.equal(expected.size > 30, true);
    assert.deepEqual(told(spec), expected);
  });

  test(`the group numbers of ${name} are those that the algorithm computes`, async () => {
    const spec = await load(name);
    const own = new Map(spec.devices.map((device) => [device.address, device.group]));
    assert.deepEqual(
      groupsAtBoot(spec.devices, () => null),
      own,
    );
  });

  test(`the dump ${name} exports to a topology that means the same machine`, async () => {
    const spec = await load(name);
    assert.deepEqual(parseTopology(exportTopology(spec), 'x'), { ok: true, value: spec });
  });
}

test('a dump tells mounts, multipath disks, virtio, header types and VFs', async () => {
  const spec = await load('guest-sysfs-assigned');
  const device = (address: string) => {
    const found = spec.devices.find((entry) => entry.address === address);
    assert.ok(found, address);
    return found;
  };
  assert.deepEqual(
    spec.mounts.find((mount) => mount.target === '/mnt/data'),
    { namespace: 'host', source: 'nvme0n1', devno: '259:0', target: '/mnt/data', fsType: 'ext4' },
  );
  assert.equal(device('0000:08:00.0').children.nvmeSubsystem, 'nvme-subsys1');
  assert.deepEqual(
    device('0000:08:00.0').children.block.map((disk) => disk.name),
    ['nvme1n1'],
  );
  assert.equal(device('0000:0a:00.0').children.virtio, 'virtio2');
  assert.deepEqual(
    device('0000:0a:00.0').children.net.map((net) => net.name),
    ['eth7'],
  );
  // Bridges do not get the children of what is plugged in below them.
  assert.deepEqual(device('0000:05:00.0').children.net, []);
  assert.equal(device('0000:05:00.0').conventionalBelow, true);
  assert.equal(device('0000:04:00.1').multifunction, true);
  assert.equal(device('0000:02:00.0').children.net[0]?.up, true);
  assert.equal(device('0000:07:00.0').sriov?.vfDevice, '10ca');
  assert.equal(device('0000:08:00.0').sriov?.vfDevice, '0010');
  assert.equal(device('0000:03:00.0').nativeDriver, 'e1000e');
  assert.equal(device('0000:00:02.0').bootVga, true);
  assert.equal(spec.profile, '6.12');
  assert.equal(spec.cdev, false);
});

test('a dump without a field that is needed is refused by the name of the field', async () => {
  const dump = JSON.parse(await readFile(dumpFile('guest-sysfs'), 'utf8')) as Record<string, never>;
  const parsed = parseTopology(JSON.stringify({ ...dump, mounts: 7 }), 'x');
  assert.ok(!parsed.ok);
  assert.deepEqual(
    parsed.problem.map((problem) => problem.field),
    ['mounts'],
  );
  const renamed = { ...dump, devices: { nonsense: Object.values(dump['devices'] ?? {})[0] } };
  const strange = parseTopology(JSON.stringify(renamed), 'x');
  assert.deepEqual(strange, {
    ok: false,
    problem: [{ field: 'devices."nonsense"', message: 'must be a PCI address dddd:bb:dd.f' }],
  });
});

test('releases go to the newest profile that is not newer', () => {
  const table: Record<string, string> = {
    '5.10.0-28-amd64': 'legacy',
    '5.18.19': 'legacy',
    '5.19.0': '6.1',
    '6.1.0-18-amd64': '6.1',
    '6.11.3': '6.1',
    '6.12.107+deb13-amd64': '6.12',
    '7.1.4': '6.12',
    '7.2.13': '7.2',
    '10.0.1': '7.2',
  };
  for (const [release, profile] of Object.entries(table)) {
    assert.equal(profileOfRelease(release), profile, release);
  }
});

test('configuration space tells header type, port type and death, and a looped list of capabilities ends', () => {
  const bytes = new Uint8Array(256);
  bytes.set([0x86, 0x80, 0xd3, 0x10]);
  bytes[0x06] = 0x10;
  bytes[0x0e] = 0x81;
  bytes[0x34] = 0x40;
  bytes.set([0x01, 0x50], 0x40);
  bytes.set([0x10, 0x40, 0x72], 0x50);
  const hex = Buffer.from(bytes).toString('hex');
  assert.deepEqual(configFacts(hex), {
    headerType: 1,
    multifunction: true,
    portType: 7,
    dead: false,
  });
  assert.equal(configFacts('ffffffffffff').dead, true);
  assert.equal(configFacts('').headerType, null);
});
