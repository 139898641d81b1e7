import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFacts } from '../../src/host/facts.ts';
import type { NodeFacts } from '../../src/pci/inventory.ts';
import { link, type TestMachine, testMachines, type Tree } from './machine.ts';

const newMachine = testMachines();

const bootId = '5f3c2a1e-8f0d-4a53-9d4e-3a1f64c0b8d2';
const plain: Tree = {
  'proc/sys/kernel/osrelease': '6.12.48+deb13-amd64\n',
  'proc/sys/kernel/random/boot_id': `${bootId}\n`,
  'proc/cmdline': 'root=/dev/sda1 intel_iommu=on\n',
  'proc/interrupts': '           CPU0\n 24:   7  IR-PCI-MSI-0000:00:1f.2  0-edge  ahci\n',
  'sys/class/iommu/dmar1': link('../../devices/virtual/iommu/dmar1'),
  'sys/class/iommu/dmar0': link('../../devices/virtual/iommu/dmar0'),
  'sys/bus/pci/drivers': { 'vfio-pci': {}, mlx5_vfio_pci: {}, e1000e: {} },
  'dev/vfio/vfio': '',
};

function machineWith(t: Parameters<typeof newMachine>[0], tree: Tree = {}): TestMachine {
  const machine = newMachine(t);
  machine.add({ ...plain, ...tree });
  return machine;
}

test('the facts of a machine that can pass devices through', async (t) => {
  assert.deepEqual(await readFacts(machineWith(t).kernel, null), {
    bootId: { known: true, value: bootId },
    kernelRelease: { known: true, value: '6.12.48+deb13-amd64' },
    iommuUnits: { known: true, value: ['dmar0', 'dmar1'] },
    interruptRemapping: { known: true, value: true },
    ownershipAccounting: { known: true, value: true },
    unsafeInterruptsAllowed: { known: true, value: false },
    vfioDrivers: { known: true, value: ['mlx5_vfio_pci', 'vfio-pci'] },
    vfioContainer: { known: true, value: true },
    iommufd: { known: true, value: false },
    acsOverride: { known: true, value: false },
  } satisfies NodeFacts);
});

const symbols =
  'ffffffff81000000 T iommu_group_get\nffffffff81000010 T iommu_group_claim_dma_owner\n';
const cases: readonly (readonly [
  sentence: string,
  tree: Tree,
  fact: keyof NodeFacts,
  value: unknown,
])[] = [
  [
    'Linux 5.10 does not account for ownership',
    { 'proc/sys/kernel/osrelease': '5.10.262\n', 'proc/kallsyms': 'f T iommu_group_get\n' },
    'ownershipAccounting',
    false,
  ],
  [
    'a 5.14 kernel with the change carried back does',
    { 'proc/sys/kernel/osrelease': '5.14.0-503.el9\n', 'proc/kallsyms': symbols },
    'ownershipAccounting',
    true,
  ],
  [
    'a longer symbol that only contains the name does not count',
    {
      'proc/sys/kernel/osrelease': '5.10.0\n',
      'proc/kallsyms':
        'f t __ksymtab_iommu_group_claim_dma_owner\nf t iommu_group_claim_dma_owner.cold\n',
    },
    'ownershipAccounting',
    false,
  ],
  [
    'Linux 5.19 needs no symbols',
    { 'proc/sys/kernel/osrelease': '5.19.0\n' },
    'ownershipAccounting',
    true,
  ],
  [
    'interrupts without IR- chips are not remapped',
    { 'proc/interrupts': '  24: 7 PCI-MSI-0000:00:1f.2 0-edge ahci DIR-x\n' },
    'interruptRemapping',
    false,
  ],
  [
    'the interrupt translation of Arm isolates',
    { 'proc/interrupts': '  24: 7 ITS-PCI-MSI-0000:01:00.0 0 Edge nvme\n' },
    'interruptRemapping',
    true,
  ],
  [
    'unsafe interrupts by the container module',
    { 'sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts': 'Y\n' },
    'unsafeInterruptsAllowed',
    true,
  ],
  [
    'unsafe interrupts by iommufd',
    {
      'sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts': 'N\n',
      'sys/module/iommufd/parameters/allow_unsafe_interrupts': 'Y\n',
    },
    'unsafeInterruptsAllowed',
    true,
  ],
  [
    'an override of ACS on the command line',
    { 'proc/cmdline': 'quiet pcie_acs_override=downstream\n' },
    'acsOverride',
    true,
  ],
  ['iommufd by its node', { 'dev/iommu': '' }, 'iommufd', true],
];

for (const [sentence, tree, fact, value] of cases) {
  test(sentence, async (t) => {
    const facts = await readFacts(machineWith(t, tree).kernel, null);
    assert.deepEqual(facts[fact], { known: true, value });
  });
}

const unknowns: readonly (readonly [
  sentence: string,
  tree: Tree,
  fact: keyof NodeFacts,
  path: string,
])[] = [
  [
    'a boot id that is no UUID',
    { 'proc/sys/kernel/random/boot_id': 'x\n' },
    'bootId',
    '/proc/sys/kernel/random/boot_id',
  ],
  [
    'a parameter that says neither Y nor N',
    { 'sys/module/iommufd/parameters/allow_unsafe_interrupts': '1\n' },
    'unsafeInterruptsAllowed',
    '/sys/module/iommufd/parameters/allow_unsafe_interrupts',
  ],
  [
    'symbols that cannot be read on an old kernel',
    { 'proc/sys/kernel/osrelease': '5.10.0\n' },
    'ownershipAccounting',
    '/proc/kallsyms',
  ],
];

for (const [sentence, tree, fact, path] of unknowns) {
  test(`${sentence} makes the fact unknown`, async (t) => {
    const found = (await readFacts(machineWith(t, tree).kernel, null))[fact];
    assert.equal(found.known, false);
    assert.equal(!found.known && found.path, path);
  });
}

test('on an empty machine nothing is invented', async (t) => {
  const facts = await readFacts(newMachine(t).kernel, null);
  for (const fact of [
    'bootId',
    'kernelRelease',
    'interruptRemapping',
    'ownershipAccounting',
    'acsOverride',
  ] as const) {
    assert.equal(facts[fact].known, false, fact);
  }
  assert.deepEqual(facts.iommuUnits, { known: true, value: [] });
  assert.deepEqual(facts.vfioDrivers, { known: true, value: [] });
});

test('accounting that was found out before is not looked for again', async (t) => {
  const machine = machineWith(t, { 'proc/sys/kernel/osrelease': '5.10.0\n' });
  const facts = await readFacts(machine.kernel, { known: true, value: true });
  assert.deepEqual(facts.ownershipAccounting, { known: true, value: true });
});
