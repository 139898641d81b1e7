import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeInventory } from '../../src/host/inventory.ts';
import { link, realClock, testMachines } from './machine.ts';

const newMachine = testMachines();

test('a group has its type, regions, name, and members of other buses after the functions', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: '0000:0a:00.0', group: 0 });
  machine.add({
    'sys/devices/platform/MSFT0201:00': {
      subsystem: link('../../../bus/platform'),
      driver: link('../../../bus/platform/drivers/tpm_crb'),
    },
    'sys/devices/platform/PNP0A08:00': {},
    'sys/kernel/iommu_groups/0': {
      name: 'vfio-noiommu\n',
      'devices/MSFT0201:00': link('../../../../devices/platform/MSFT0201:00'),
      'devices/PNP0A08:00': link('../../../../devices/platform/PNP0A08:00'),
      reserved_regions:
        '0x0000000000000000 0x0000000000ffffff direct\n0x00000000fee00000 0x00000000feefffff msi\n',
    },
  });
  const { groups } = await takeInventory(machine.kernel, realClock);
  const group = groups[0];
  assert.equal(group?.key, '0000:0a:00.0,MSFT0201:00,PNP0A08:00');
  assert.deepEqual(group?.members.slice(1), [
    {
      kind: 'other',
      name: 'MSFT0201:00',
      bus: { known: true, value: 'platform' },
      driver: { known: true, value: 'tpm_crb' },
    },
    {
      kind: 'other',
      name: 'PNP0A08:00',
      bus: { known: true, value: null },
      driver: { known: true, value: null },
    },
  ]);
  assert.deepEqual(group?.name, { known: true, value: 'vfio-noiommu' });
  assert.deepEqual(group?.domainType, { known: true, value: 'DMA-FQ' });
  assert.deepEqual(group?.reservedRegions.known && group.reservedRegions.value[0], {
    startHex: '0x0000000000000000',
    endHex: '0x0000000000ffffff',
    type: 'direct',
  });
});

test('reserved regions that are cut are unknown, none at all are known', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: '0000:0a:00.0', group: 0 });
  machine.addFunction({ address: '0000:0b:00.0', group: 1 });
  machine.add({
    'sys/kernel/iommu_groups/0/reserved_regions': '0x00000000fee00000 0x00000000fe',
    'sys/kernel/iommu_groups/1/reserved_regions': '',
  });
  const { groups } = await takeInventory(machine.kernel, realClock);
  assert.equal(groups[0]?.reservedRegions.known, false);
  assert.deepEqual(groups[1]?.reservedRegions, { known: true, value: [] });
});
