import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CodedError } from '../../../src/base/errors.ts';
import { parseTopology, readTopologyFile } from '../../../src/kernel/model/topology.ts';

const smallest = 'topology: 1\ndevices: {0000:00:02.0: {id: 8086:100e, class: 020000}}\n';

function parsed(text: string) {
  const spec = parseTopology(text, 'box');
  assert.ok(spec.ok, spec.ok ? '' : JSON.stringify(spec.problem));
  return spec.value;
}

test('the smallest file is a machine with every default filled', () => {
  const spec = parsed(smallest);
  assert.equal(spec.name, 'box');
  assert.equal(spec.profile, '6.12');
  assert.deepEqual(spec.iommu, {
    kind: 'intel',
    units: ['dmar0'],
    interruptRemapping: true,
    unsafeInterruptsAllowed: false,
  });
  assert.match(spec.bootId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(
    spec.drivers.map((driver) => driver.name),
    ['pci-stub', 'pcieport', 'uio_pci_generic', 'vfio-pci'],
  );
  const [device] = spec.devices;
  assert.ok(device);
  assert.equal(device.classCode, '020000');
  assert.deepEqual(device.resetMethods, ['flr', 'bus']);
  assert.equal(device.nativeDriver, null);
});

test('an equal file gives an equal machine, and names of machines give different boot ids', () => {
  assert.deepEqual(parsed(smallest), parsed(smallest));
  const other = parseTopology(smallest, 'another');
  assert.ok(other.ok);
  assert.notEqual(other.value.bootId, parsed(smallest).bootId);
});

test('hex codes that look like numbers stay what they are', () => {
  const spec = parsed('topology: 1\ndevices: {0000:00:02.0: {id: 1234:5678, class: 010802}}');
  assert.equal(spec.devices[0]?.classCode, '010802');
  assert.equal(spec.devices[0]?.device, '5678');
});

test('disks and interfaces without numbers get their own, and mounts find the number of their disk', () => {
  const spec = parsed(`
topology: 1
devices:
  0000:00:02.0:
    id: 8086:100e
    class: 010601
    block: [{name: sdb, partitions: [{name: sdb3}]}, {name: nvme0n1}]
    net: [{name: a}, {name: b}]
stacked: [{name: dm-4}]
mounts: [{source: sdb3, target: /, fsType: ext4}, {source: dm-4, target: /x, fsType: xfs}]
`);
  const { block, net } = spec.devices[0]?.children ?? { block: [], net: [] };
  assert.deepEqual(
    [block[0]?.devno, block[0]?.partitions[0]?.devno, block[1]?.devno],
    ['8:16', '8:19', '259:0'],
  );
  assert.deepEqual(
    spec.mounts.map((mount) => mount.devno),
    ['8:19', '254:4'],
  );
  assert.notEqual(net[0]?.mac, net[1]?.mac);
});

const device = (fields: string): string =>
  `topology: 1\ndevices: {0000:00:02.0: {id: 8086:100e, class: 020000, ${fields}}}`;
const at = (field: string): string => `devices."0000:00:02.0".${field}`;

const wrong: Record<string, { text: string; field: string; says: RegExp }> = {
  'no YAML at all': { text: 'a: [', field: '', says: /is no YAML/ },
  'a broken JSON': { text: '{"topology": ', field: '', says: /neither YAML nor JSON/ },
  'a key that is there twice': { text: 'topology: 1\ntopology: 1', field: '', says: /unique/ },
  'an empty file': { text: '', field: '', says: /must be a mapping with the fields topology, / },
  'a list': { text: '- a', field: '', says: /must be a mapping/ },
  'no version': { text: 'devices: {}', field: 'topology', says: /is missing; must be 1/ },
  'another version': {
    text: 'topology: 2\ndevices: {}',
    field: 'topology',
    says: /is "2"; must be 1/,
  },
  'an unknown field': {
    text: `${smallest}swap: [a]\n`,
    field: '',
    says: /unknown field "swap"; allowed: .*swaps/,
  },
  'an unknown field of a device': {
    text: device('drivr: nvidia'),
    field: 'devices."0000:00:02.0"',
    says: /unknown field "drivr"; allowed: .*driver/,
  },
  'an address without a domain': {
    text: 'topology: 1\ndevices: {"00:02.0": {id: 8086:100e, class: 020000}}',
    field: 'devices."00:02.0"',
    says: /key is "00:02.0"; must be a PCI address dddd:bb:dd.f/,
  },
  'a bad id': { text: device('subsystem: 10de'), field: at('subsystem'), says: /vendor:device/ },
  'no class': {
    text: 'topology: 1\ndevices: {0000:00:02.0: {id: 8086:100e}}',
    field: at('class'),
    says: /is missing; must be six lower-case hex digits/,
  },
  'a word that is no flag': { text: device('dead: yes'), field: at('dead'), says: /true or false/ },
  'a number out of range': {
    text: device('numa: 5000'),
    field: at('numa'),
    says: /is 5000; must be a whole number from -1 to 1023/,
  },
  'an unknown reset method': {
    text: device('resets: [flr, magic]'),
    field: at('resets[1]'),
    says: /must be one of device_specific, /,
  },
  'a bad interface address': {
    text: device('net: [{name: a, addresses: [192.0.2.1]}]'),
    field: at('net[0].addresses[0]'),
    says: /prefix length/,
  },
  'a bad profile': {
    text: `${smallest}kernel: {profile: 6.11}\n`,
    field: 'kernel.profile',
    says: /must be one of legacy, 6.1, 6.12, 7.2/,
  },
  'a parent that is not there': {
    text: device('parent: 0000:00:01.0'),
    field: at('parent'),
    says: /no device of this file/,
  },
  'an endpoint as parent': {
    text: smallest.replace(
      '}}',
      '}, 0000:01:00.0: {id: 8086:100e, class: 020000, parent: 0000:00:02.0}}',
    ),
    field: 'devices."0000:01:00.0".parent',
    says: /is an endpoint; must be a bridge/,
  },
  'bridges above each other': {
    text: 'topology: 1\ndevices: {0000:00:01.0: {id: 8086:1, class: 060400}}'.replace(
      '8086:1,',
      '8086:0001, parent: 0000:00:01.0,',
    ),
    field: 'devices."0000:00:01.0".parent',
    says: /above and below/,
  },
  'a bus below two bridges': {
    text: `topology: 1
devices:
  0000:00:01.0: {id: 8086:0001, class: 060400}
  0000:00:02.0: {id: 8086:0001, class: 060400}
  0000:01:00.0: {id: 8086:0001, class: 020000, parent: 0000:00:01.0}
  0000:01:01.0: {id: 8086:0001, class: 020000, parent: 0000:00:02.0}`,
    field: 'devices."0000:01:01.0".parent',
    says: /functions of one bus have one bridge above/,
  },
  'more VFs than there are': {
    text: device('sriov: {totalVfs: 2, numVfs: 3, vfDevice: "10ca"}'),
    field: at('sriov.numVfs'),
    says: /at most totalVfs/,
  },
  'VFs on the address of another function': {
    text: smallest
      .replace('class: 020000', 'class: 020000, sriov: {totalVfs: 2, vfDevice: "10ca"}')
      .replace('}}\n', '}, 0000:00:02.1: {id: 8086:0001, class: 020000}}'),
    field: at('sriov'),
    says: /0000:00:02.1/,
  },
  'a holder that is not stacked': {
    text: device('block: [{name: sda, holders: [dm-0]}]'),
    field: at('block[0].holders[0]'),
    says: /no entry of stacked/,
  },
  'two interfaces of one name': {
    text: device('net: [{name: a}, {name: a}]'),
    field: at('net[1].name'),
    says: /there twice/,
  },
  'swap on nothing': { text: `${smallest}swaps: [sdz]\n`, field: 'swaps[0]', says: /no disk/ },
  'a route over nothing': {
    text: `${smallest}routes: [{destination: 0.0.0.0/0, iface: a}]\n`,
    field: 'routes[0].iface',
    says: /no interface/,
  },
  'a group without an IOMMU': {
    text: `${device('group: 3')}\niommu: {kind: none}\n`,
    field: at('group'),
    says: /no groups with iommu.kind none/,
  },
};

for (const [what, { text, field, says }] of Object.entries(wrong)) {
  test(`${what} is refused with the field and the allowed form`, () => {
    const spec = parseTopology(text, 'box');
    assert.ok(!spec.ok);
    const problem = spec.problem.find((one) => one.field === field);
    assert.ok(problem, JSON.stringify(spec.problem));
    assert.match(problem.message, says);
  });
}

test('all problems are told at once', () => {
  const spec = parseTopology(device('numa: x, dead: x, group: x'), 'box');
  assert.ok(!spec.ok);
  assert.deepEqual(spec.problem.map((problem) => problem.field).sort(), [
    at('dead'),
    at('group'),
    at('numa'),
  ]);
});

test('a file that is wrong or absent throws the coded error with its path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'topology-'));
  try {
    const path = join(folder, 'machine.yaml');
    await writeFile(path, device('numa: x'));
    const invalid = (thrown: unknown): boolean =>
      thrown instanceof CodedError &&
      thrown.code === 'WG_TOPOLOGY_INVALID' &&
      thrown.message.includes(path) &&
      thrown.message.includes('numa');
    await assert.rejects(readTopologyFile(path), invalid);
    await assert.rejects(readTopologyFile(join(folder, 'absent')), /cannot be read: ENOENT/);
    await writeFile(path, smallest);
    assert.equal((await readTopologyFile(path)).name, 'machine');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a file of aliases that grow without bound is refused, not expanded', () => {
  const lines = ['topology: 1', 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let n = 1; n < 12; n++) {
    lines.push(`a${n}: &a${n} [${Array.from({ length: 10 }, () => `*a${n - 1}`).join(', ')}]`);
  }
  const spec = parseTopology(lines.join('\n'), 'bomb');
  assert.ok(!spec.ok);
});
