// An inventory of which only some groups are read anew.
import assert from 'node:assert/strict';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Identities } from '../../src/host/identities.ts';
import { refreshInventory, takeInventory } from '../../src/host/inventory.ts';
import type { Inventory } from '../../src/pci/inventory.ts';
import { at, realClock, type TestMachine, testMachines } from './machine.ts';

const newMachine = testMachines();
const gpu = '0000:65:00.0';
const audio = '0000:65:00.1';
const nic = '0000:02:00.0';

/** A card of two functions in group 17, a network card in group 3. */
async function threeFunctions(machine: TestMachine): Promise<Inventory> {
  machine.addFunction({ address: gpu, driver: 'nouveau', group: 17 });
  machine.addFunction({ address: audio, driver: 'snd_hda_intel', group: 17 });
  machine.addFunction({ address: nic, driver: 'ice', group: 3 });
  return takeInventory(machine.kernel, realClock);
}

function refresh(
  machine: TestMachine,
  previous: Inventory,
  anew: readonly string[],
  again: readonly string[] = [],
): Promise<Inventory> {
  const known = { previous, anew: anew.map(at), again: again.map(at) };
  return refreshInventory(machine.kernel, realClock, known);
}

function deviceOf(machine: TestMachine, address: string): string {
  return join(machine.folder, machine.place({ address }));
}

/** Moves a function into another group, as a removal and a scan would. */
function regroup(machine: TestMachine, address: string, from: number, to: number): void {
  const device = deviceOf(machine, address);
  const groups = join(machine.folder, 'sys/kernel/iommu_groups');
  rmSync(join(groups, String(from), 'devices', address));
  machine.add({ [`sys/kernel/iommu_groups/${to}`]: { devices: {}, type: 'DMA-FQ\n' } });
  writeFileSync(join(groups, String(to), 'reserved_regions'), '');
  symlinkSync(device, join(groups, String(to), 'devices', address));
  rmSync(join(device, 'iommu_group'));
  symlinkSync(join(groups, String(to)), join(device, 'iommu_group'));
}

test('nothing has changed: the inventory of some groups read anew equals the whole one', async (t) => {
  const machine = newMachine(t);
  const whole = await threeFunctions(machine);
  for (const anew of [[], [gpu], [audio, nic]]) {
    const refreshed = await refresh(machine, whole, anew);
    assert.deepEqual(refreshed, whole);
  }
});

test('the whole group of a function is read anew, and no other', async (t) => {
  const machine = newMachine(t);
  const whole = await threeFunctions(machine);
  for (const address of [gpu, audio, nic])
    writeFileSync(join(deviceOf(machine, address), 'enable'), '7\n');
  const { functions } = await refresh(machine, whole, [audio]);
  assert.deepEqual(
    functions.map((fn) => [fn.address, fn.enableCount]),
    [
      [nic, { known: true, value: 1 }],
      [gpu, { known: true, value: 7 }],
      [audio, { known: true, value: 7 }],
    ],
  );
});

test('of a function that is read again the attributes are today’s, also in its group', async (t) => {
  const machine = newMachine(t);
  const whole = await threeFunctions(machine);
  writeFileSync(join(deviceOf(machine, gpu), 'enable'), '7\n');
  rmSync(join(deviceOf(machine, audio), 'vendor'));
  const refreshed = await refresh(machine, whole, [], [gpu, audio]);
  const [card] = refreshed.groups.filter((group) => group.number === 17);
  assert.deepEqual(
    card?.members.map((member) => member.kind === 'pci' && [member.fn.enableCount, member.fn.ids]),
    refreshed.functions.filter((fn) => fn.address !== nic).map((fn) => [fn.enableCount, fn.ids]),
  );
  const [first, second] = refreshed.functions.filter((fn) => fn.address !== nic);
  assert.deepEqual(first?.enableCount, { known: true, value: 7 });
  assert.equal(second?.ids.known, false);
});

test('of a function that no uevent has replaced the count is read again, and all where another device shows', async (t) => {
  const machine = newMachine(t);
  const previous = await threeFunctions(machine);
  writeFileSync(join(deviceOf(machine, gpu), 'enable'), '7\n');
  for (const address of [gpu, audio, nic])
    writeFileSync(join(deviceOf(machine, address), 'device'), '0xabcd\n');
  rmSync(join(deviceOf(machine, nic), 'vendor'));
  const known = { previous, anew: [], again: [gpu, audio, nic].map(at) };
  const refreshed = await refreshInventory(machine.kernel, realClock, known, () => true);
  const of = (inventory: Inventory, address: string) =>
    inventory.functions.find((fn) => fn.address === address);
  assert.deepEqual(of(refreshed, gpu)?.enableCount, { known: true, value: 7 });
  assert.deepEqual(of(refreshed, gpu)?.ids, of(previous, gpu)?.ids);
  assert.equal(of(refreshed, audio), of(previous, audio));
  assert.equal(of(refreshed, nic)?.ids.known, false);
});

test('a function is the same while no uevent was sent since it was read whole', async (t) => {
  const machine = newMachine(t);
  const inventory = await threeFunctions(machine);
  const [first, second] = inventory.functions;
  assert.ok(first !== undefined && second !== undefined);
  const identities = new Identities();
  identities.note({ ...inventory, functions: [first] }, '70');
  identities.note({ ...inventory, functions: [first, second] }, '71');
  assert.ok(identities.isSame(first, '70'));
  assert.ok(!identities.isSame(first, '71'));
  assert.ok(identities.isSame(second, '71'));
  assert.ok(!identities.isSame(second, null));
  const cut = { ...first, ids: { known: false, path: '/sys', why: 'EIO' } as const };
  identities.note({ ...inventory, functions: [cut] }, '71');
  assert.ok(!identities.isSame(cut, '71'));
});

test('a function that has left its group is in its new one, and what it left behind stays', async (t) => {
  const machine = newMachine(t);
  const whole = await threeFunctions(machine);
  regroup(machine, audio, 17, 18);
  const refreshed = await refresh(machine, whole, [audio]);
  assert.deepEqual(
    refreshed.groups.map(({ number, key }) => [number, key]),
    (await takeInventory(machine.kernel, realClock)).groups.map(({ number, key }) => [number, key]),
  );
});

test('a function that is gone is gone', async (t) => {
  const machine = newMachine(t);
  const whole = await threeFunctions(machine);
  rmSync(join(machine.folder, 'sys/bus/pci/devices', nic));
  rmSync(join(machine.folder, 'sys/kernel/iommu_groups/3'), { recursive: true });
  const refreshed = await refresh(machine, whole, [nic]);
  assert.deepEqual(
    refreshed.functions.map((fn) => fn.address),
    [gpu, audio],
  );
  assert.equal(refreshed.groups.length, 1);
});
