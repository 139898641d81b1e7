// An inventory of which only some groups are read anew.
import assert from 'node:assert/strict';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
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
    const refreshed = await refreshInventory(machine.kernel, realClock, whole, anew.map(at));
    assert.deepEqual(refreshed, whole);
  }
});

test('the whole group of a function is read anew, and no other', async (t) => {
  const machine = newMachine(t);
  const whole = await threeFunctions(machine);
  for (const address of [gpu, audio, nic])
    writeFileSync(join(deviceOf(machine, address), 'enable'), '7\n');
  const { functions } = await refreshInventory(machine.kernel, realClock, whole, [at(audio)]);
  assert.deepEqual(
    functions.map((fn) => [fn.address, fn.enableCount]),
    [
      [nic, { known: true, value: 1 }],
      [gpu, { known: true, value: 7 }],
      [audio, { known: true, value: 7 }],
    ],
  );
});

test('a function that has left its group is in its new one, and what it left behind stays', async (t) => {
  const machine = newMachine(t);
  const whole = await threeFunctions(machine);
  regroup(machine, audio, 17, 18);
  const refreshed = await refreshInventory(machine.kernel, realClock, whole, [at(audio)]);
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
  const refreshed = await refreshInventory(machine.kernel, realClock, whole, [at(nic)]);
  assert.deepEqual(
    refreshed.functions.map((fn) => fn.address),
    [gpu, audio],
  );
  assert.equal(refreshed.groups.length, 1);
});
