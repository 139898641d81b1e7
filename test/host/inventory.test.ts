import assert from 'node:assert/strict';
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { takeInventory } from '../../src/host/inventory.ts';
import type { CallOptions, KernelFs, ReadOptions } from '../../src/kernel/fs.ts';
import type { PciFunction } from '../../src/pci/function.ts';
import { link, realClock, type TestMachine, testMachines } from './machine.ts';

const newMachine = testMachines();

async function only(machine: TestMachine): Promise<PciFunction> {
  const { functions } = await takeInventory(machine.kernel, realClock);
  assert.equal(functions.length, 1);
  return functions[0] as PciFunction;
}

test('a function is read with ids, class, driver, group, NUMA node, VFIO device and place in the tree', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({
    address: '0000:65:00.0',
    upstream: ['0000:64:00.0', '0000:64:01.0'],
    classCode: '030000',
    driver: 'vfio-pci',
    group: 17,
    enable: 1,
    numa: 1,
    vfio: 'vfio3',
  });
  const fn = await only(machine);
  const { entries, ...rest } = fn;
  assert.deepEqual(rest, {
    address: '0000:65:00.0',
    ids: {
      known: true,
      value: { vendor: '8086', device: '10d3', subsystemVendor: '1af4', subsystemDevice: '1100' },
    },
    classCode: { known: true, value: '030000' },
    driver: { known: true, value: 'vfio-pci' },
    vfioDevice: { known: true, value: 'vfio3' },
    groupNumber: { known: true, value: 17 },
    numaNode: { known: true, value: 1 },
    enableCount: { known: true, value: 1 },
    physicalFunction: { known: true, value: null },
    virtualFunctions: { known: true, value: [] },
    upstream: ['0000:64:00.0', '0000:64:01.0'],
  });
  assert.ok(entries.has('reset_method'));
});

test('what the kernel leaves out is known to be absent: no driver, no group, no NUMA', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: '0000:00:02.0', group: null });
  rmSync(join(machine.folder, 'sys/bus/pci/devices/0000:00:02.0/numa_node'));
  const fn = await only(machine);
  for (const fact of [fn.driver, fn.groupNumber, fn.numaNode, fn.vfioDevice, fn.physicalFunction]) {
    assert.deepEqual(fact, { known: true, value: null });
  }
});

test('virtual functions and their physical function name each other, in order', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({
    address: '0000:03:00.0',
    below: {
      virtfn10: link('../0000:03:02.4'),
      virtfn2: link('../0000:03:01.0'),
      virtfn0: link('../0000:03:00.2'),
    },
  });
  machine.addFunction({
    address: '0000:03:00.2',
    group: 2,
    below: { physfn: link('../0000:03:00.0') },
  });
  const { functions } = await takeInventory(machine.kernel, realClock);
  assert.deepEqual(functions[0]?.virtualFunctions, {
    known: true,
    value: ['0000:03:00.2', '0000:03:01.0', '0000:03:02.4'],
  });
  assert.deepEqual(functions[1]?.physicalFunction, { known: true, value: '0000:03:00.0' });
});

const badTexts: readonly (readonly [
  field: keyof PciFunction,
  file: string,
  text: string | Uint8Array,
  why: RegExp,
])[] = [
  ['ids', 'vendor', '', /says "" instead of 0x and four hex digits/],
  ['ids', 'device', '0x10d\n', /says "0x10d\\n" instead of/],
  ['ids', 'subsystem_vendor', '0x8086', /says "0x8086" instead of/],
  ['ids', 'subsystem_device', '8086\n', /instead of 0x and four/],
  ['ids', 'vendor', Uint8Array.of(0x30, 0x78, 0xff, 0xfe, 0x0a), /is not UTF-8 text/],
  ['classCode', 'class', '0x02000\n', /instead of 0x and six hex digits/],
  ['classCode', 'class', '0x020000\n0x020000\n', /instead of 0x and six/],
  ['enableCount', 'enable', '-1\n', /instead of a count of 0 or more/],
  ['enableCount', 'enable', '\n', /instead of a count/],
  ['numaNode', 'numa_node', '-2\n', /instead of a node number or -1/],
  ['numaNode', 'numa_node', 'one\n', /instead of a node number/],
];

for (const [field, file, text, why] of badTexts) {
  test(`${file} with ${JSON.stringify(text.toString())} makes ${field} unknown, naming path, text and form`, async (t) => {
    const machine = newMachine(t);
    machine.addFunction({ address: '0000:00:02.0' });
    machine.add({ [`sys/bus/pci/devices/0000:00:02.0/${file}`]: text });
    const fact = (await only(machine))[field] as { known: boolean; path: string; why: string };
    assert.equal(fact.known, false);
    assert.equal(fact.path, `/sys/bus/pci/devices/0000:00:02.0/${file}`);
    assert.match(fact.why, why);
  });
}

test('links that lead to something else are unknown', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({
    address: '0000:00:02.0',
    group: null,
    below: { iommu_group: link('../x/seven'), physfn: link('../y'), virtfn0: link('../z') },
  });
  const fn = await only(machine);
  assert.equal(fn.groupNumber.known, false);
  assert.equal(fn.physicalFunction.known, false);
  assert.equal(fn.virtualFunctions.known, false);
});

test('one missing file is unknown, a device that is gone altogether is left out', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: '0000:00:02.0' });
  machine.addFunction({ address: '0000:00:03.0' });
  const device = join(machine.folder, 'sys/bus/pci/devices');
  rmSync(join(device, '0000:00:02.0/class'));
  // Still listed, but its folder is gone: as between the listing and the reads of a hot-unplug.
  rmSync(join(machine.folder, machine.place({ address: '0000:00:03.0' })), { recursive: true });
  const fn = await only(machine);
  assert.deepEqual(fn.classCode, {
    known: false,
    path: '/sys/bus/pci/devices/0000:00:02.0/class',
    why: 'ENOENT',
  });
});

/** The kernel of a machine on which something happens before one read or listing. */
function disturbed(kernel: KernelFs, path: string, happens: () => void): KernelFs {
  let left = true;
  const before = (wanted: string): string => {
    if (left && wanted === path) {
      left = false;
      happens();
    }
    return wanted;
  };
  return {
    read: (wanted: string, options?: ReadOptions) => kernel.read(before(wanted), options),
    list: (wanted: string, options?: CallOptions) => kernel.list(before(wanted), options),
    readLink: (wanted: string, options?: CallOptions) => kernel.readLink(wanted, options),
    readLinks: (wanted: string, options?: CallOptions) => kernel.readLinks(wanted, options),
    write: (wanted: string, data: string, options?: CallOptions) =>
      kernel.write(wanted, data, options),
    exists: (wanted: string, options?: CallOptions) => kernel.exists(wanted, options),
    changes: (listener) => kernel.changes(listener),
  };
}

test('a device that goes away in the middle of its reads is left out, and out of its group', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: '0000:00:02.0' });
  machine.addFunction({ address: '0000:00:03.0' });
  const kernel = disturbed(machine.kernel, '/sys/bus/pci/devices/0000:00:03.0/enable', () =>
    rmSync(join(machine.folder, machine.place({ address: '0000:00:03.0' })), { recursive: true }),
  );
  const { functions, groups, unreadable } = await takeInventory(kernel, realClock);
  assert.deepEqual(
    functions.map((fn) => fn.address),
    ['0000:00:02.0'],
  );
  assert.deepEqual(
    groups.map((group) => group.key),
    ['0000:00:02.0'],
  );
  assert.deepEqual(unreadable, []);
});

test('a device that comes after the listing is in its group all the same', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: '0000:00:02.0', group: 4 });
  const kernel = disturbed(machine.kernel, '/sys/kernel/iommu_groups/4/devices', () =>
    machine.addFunction({ address: '0000:00:03.0', group: 4 }),
  );
  const { groups } = await takeInventory(kernel, realClock);
  assert.deepEqual(
    groups.map((group) => group.key),
    ['0000:00:02.0,0000:00:03.0'],
  );
});

test('a function that points to a group is a member even where the group does not list it', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: '0000:00:02.0', group: 4 });
  machine.addFunction({ address: '0000:00:03.0', group: 4 });
  rmSync(join(machine.folder, 'sys/kernel/iommu_groups/4/devices/0000:00:03.0'));
  const { groups } = await takeInventory(machine.kernel, realClock);
  assert.deepEqual(
    groups.map((group) => group.key),
    ['0000:00:02.0,0000:00:03.0'],
  );
});

test('a member whose folder cannot be listed stays a member of which nothing is known', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: '0000:00:02.0', group: 4 });
  machine.addFunction({ address: '0000:00:03.0', group: 4 });
  const place = join(machine.folder, machine.place({ address: '0000:00:03.0' }));
  rmSync(place, { recursive: true });
  symlinkSync(place, place); // ELOOP
  const { groups, unreadable } = await takeInventory(machine.kernel, realClock);
  assert.equal(groups[0]?.key, '0000:00:02.0,0000:00:03.0');
  const member = groups[0]?.members[1];
  assert.equal(member?.kind === 'other' && member.driver.known, false);
  assert.deepEqual(unreadable, [{ path: '/sys/bus/pci/devices/0000:00:03.0', why: 'ELOOP' }]);
});

test('a machine without a PCI bus says so, one without an IOMMU has functions and no groups', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: '0000:00:02.0', group: null });
  rmSync(join(machine.folder, 'sys/kernel'), { recursive: true });
  const plain = await takeInventory(machine.kernel, realClock);
  assert.deepEqual(
    [plain.functions.length, plain.groups.length, plain.unreadable.length],
    [1, 0, 0],
  );
  rmSync(join(machine.folder, 'sys/bus'), { recursive: true });
  const none = await takeInventory(machine.kernel, realClock);
  assert.deepEqual(none.unreadable, [{ path: '/sys/bus/pci/devices', why: 'ENOENT' }]);
});
