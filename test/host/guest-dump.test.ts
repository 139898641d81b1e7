import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { takeInventory } from '../../src/host/inventory.ts';
import { pciFunctions } from '../../src/pci/group.ts';
import { at, link, realClock, type TestMachine, testMachines } from './machine.ts';

const newMachine = testMachines();

interface Dump {
  readonly devices: Readonly<
    Record<
      string,
      {
        readonly path: string;
        readonly names: readonly string[];
        readonly attrs: Readonly<Record<string, string>>;
        readonly driver: string | null;
        readonly iommu_group: string | null;
        readonly vfio_dev?: readonly string[];
      }
    >
  >;
  readonly iommu_groups: Readonly<
    Record<
      string,
      {
        readonly devices: readonly string[];
        readonly type: string;
        readonly reserved_regions: string;
      }
    >
  >;
}

function writeDump(machine: TestMachine, dump: Dump): void {
  for (const [address, device] of Object.entries(dump.devices)) {
    const place = device.path.replace(/^[./]*/, 'sys/');
    for (const name of device.names) {
      if (!(name in device.attrs) && !['driver', 'iommu_group'].includes(name))
        machine.add({ [`${place}/${name}`]: {} });
    }
    for (const [name, text] of Object.entries(device.attrs))
      machine.add({ [`${place}/${name}`]: `${text}\n` });
    if (device.driver !== null) machine.add({ [`${place}/driver`]: link(device.driver) });
    if (device.iommu_group !== null)
      machine.add({ [`${place}/iommu_group`]: link(device.iommu_group) });
    machine.add({ [`sys/bus/pci/devices/${address}`]: link(device.path) });
  }
  for (const [number, group] of Object.entries(dump.iommu_groups)) {
    const folder = `sys/kernel/iommu_groups/${number}`;
    mkdirSync(join(machine.folder, folder), { recursive: true });
    machine.add({
      [folder]: { type: `${group.type}\n`, reserved_regions: `${group.reserved_regions}\n` },
    });
    for (const name of group.devices)
      machine.add({ [`${folder}/devices/${name}`]: link(`../../../../bus/pci/devices/${name}`) });
  }
}

for (const name of ['guest-sysfs', 'guest-sysfs-assigned']) {
  test(`the sysfs of a real guest (${name}) is read without anything unknown, and its groups are its own`, async (t) => {
    const machine = newMachine(t);
    const path = join(import.meta.dirname, `../data/topologies/${name}.json`);
    const dump = JSON.parse(readFileSync(path, 'utf8')) as Dump;
    writeDump(machine, dump);
    const { functions, groups, unreadable } = await takeInventory(machine.kernel, realClock);
    assert.deepEqual(unreadable, []);
    assert.deepEqual(functions.map((fn) => fn.address).sort(), Object.keys(dump.devices).sort());
    for (const fn of functions) {
      for (const fact of [
        fn.ids,
        fn.classCode,
        fn.driver,
        fn.groupNumber,
        fn.numaNode,
        fn.enableCount,
        fn.vfioDevice,
      ]) {
        assert.equal(fact.known, true, `${fn.address} ${JSON.stringify(fact)}`);
      }
      const device = dump.devices[fn.address];
      assert.equal(fn.driver.known && fn.driver.value, device?.driver?.split('/').pop() ?? null);
      assert.equal(`0x${fn.ids.known ? fn.ids.value.device : ''}`, device?.attrs['device']);
    }
    const found = new Map(
      groups.map((group) => [
        String(group.number),
        pciFunctions(group).map((fn) => String(fn.address)),
      ]),
    );
    for (const [number, group] of Object.entries(dump.iommu_groups)) {
      assert.deepEqual(found.get(number), [...group.devices].sort());
    }
    assert.equal(found.size, Object.keys(dump.iommu_groups).length);
    const behindPort = functions.find((fn) => fn.address === at('0000:02:00.0'));
    assert.deepEqual(behindPort?.upstream, ['0000:00:04.0']);
  });
}
