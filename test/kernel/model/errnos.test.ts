// What writes answer, as a table: the state of a function, the write, and the errno by kernel. `OK` is the
// whole text taken; `blocked` is a call that sleeps in the kernel.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelProfile } from '../../../src/kernel/model/spec.ts';
import { Bench, User, device } from './bench-machine.ts';

const A = '0000:00:05.0';
const B = '0000:00:05.1';
const NVME = '0000:00:06.0';
const PF = '0000:04:00.0';

/** States a machine can be brought into. */
const states: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  'as booted': () => Promise.resolve(),
  'A unbound': async (bench) => void (await bench.unbind('e1000', A)),
  'A on vfio-pci': (bench) => bench.toVfio(A),
  'group owned through A, B unbound': async (bench) => {
    await bench.toVfio(A);
    await bench.override(B, 'none');
    await bench.unbind('e1000', B);
    new User(bench).take(1, A);
    await bench.override(B, '\n');
  },
  'A being unbound while open': async (bench) => {
    await states['group owned through A, B unbound']?.(bench);
    await bench.startWrite('/sys/bus/pci/drivers/vfio-pci/unbind', A);
  },
  'two VFs': async (bench) => {
    await bench.write(`${device(PF)}/sriov_drivers_autoprobe`, '0');
    await bench.write(`${device(PF)}/sriov_numvfs`, '2');
  },
};

type Answer = string | Readonly<Partial<Record<KernelProfile, string>>>;
type Row = readonly [state: string, path: string, data: string, answer: Answer];

const driver = (name: string, file: string): string => `/sys/bus/pci/drivers/${name}/${file}`;
const probe = '/sys/bus/pci/drivers_probe';
const type = (group: number): string => `/sys/kernel/iommu_groups/${group}/type`;

const rows: readonly Row[] = [
  [
    'as booted',
    driver('e1000', 'bind'),
    A,
    { '6.1': 'EBUSY', '6.12': 'EBUSY', '7.2': 'EBUSY', legacy: 'ENODEV' },
  ],
  ['as booted', driver('e1000', 'bind'), '0000:ff:1f.7', 'ENODEV'],
  ['as booted', driver('e1000', 'bind'), NVME, 'ENODEV'],
  ['as booted', driver('e1000', 'unbind'), '00:05.0', 'ENODEV'],
  ['as booted', driver('e1000', 'unbind'), `${A}\n`, 'OK'],
  ['as booted', driver('nvme', 'unbind'), A, 'ENODEV'],
  ['as booted', driver('vfio-pci', 'bind'), A, 'ENODEV'],
  ['as booted', probe, A, 'OK'],
  ['as booted', probe, '0000:ff:1f.7', 'ENODEV'],
  ['as booted', probe, '', 'OK'],
  ['as booted', driver('e1000', 'nothing'), A, 'ENOENT'],
  ['as booted', `${device(A)}/vendor`, '1', 'EACCES'],
  ['as booted', '/sys/bus/pci/devices', '1', 'EISDIR'],
  ['as booted', `${device(A)}/driver_override`, 'a'.repeat(4095), 'EINVAL'],
  ['as booted', `${device(A)}/driver_override`, 'a'.repeat(4094), 'OK'],
  ['as booted', `${device(A)}/enable`, '1', 'EBUSY'],
  ['as booted', `${device(A)}/remove`, 'x', 'EINVAL'],
  ['as booted', `${device(A)}/remove`, '0', 'OK'],
  ['as booted', `${device(A)}/reset`, '1', 'ENOENT'],
  ['as booted', `${device(NVME)}/reset`, '1', 'OK'],
  ['as booted', `${device(NVME)}/reset`, '2', 'EINVAL'],
  ['as booted', `${device(NVME)}/reset_method`, 'bogus', 'EINVAL'],
  ['as booted', `${device(NVME)}/reset_method`, 'bus', 'EINVAL'],
  ['as booted', `${device(NVME)}/reset_method`, 'flr', 'OK'],
  ['as booted', `${device(A)}/uevent`, 'explode', 'EINVAL'],
  ['as booted', `${device(A)}/uevent`, 'change 123', 'EINVAL'],
  ['as booted', `${device(A)}/uevent`, 'change', 'OK'],
  ['as booted', driver('vfio-pci', 'new_id'), '8086', 'EINVAL'],
  ['as booted', driver('vfio-pci', 'new_id'), 'xyz', 'EINVAL'],
  ['as booted', driver('vfio-pci', 'new_id'), '8086 2922', 'OK'],
  ['as booted', driver('vfio-pci', 'new_id'), '8086 2922 ffffffff ffffffff 0 0 7', 'EINVAL'],
  ['as booted', driver('e1000', 'new_id'), '8086 100e', 'EEXIST'],
  ['as booted', driver('vfio-pci', 'remove_id'), '8086 100e', 'ENODEV'],
  ['as booted', type(2), 'bogus', 'EINVAL'],
  ['as booted', type(2), 'DMA-FQ', 'OK'],
  ['as booted', type(2), 'identity', { '6.1': 'EBUSY', '6.12': 'EPERM', '7.2': 'EPERM' }],
  ['as booted', type(1), 'identity', { '6.1': 'EINVAL', '6.12': 'EPERM', '7.2': 'EPERM' }],
  ['as booted', type(7), 'identity', { '6.1': 'EINVAL', '6.12': 'OK', '7.2': 'OK' }],
  ['as booted', `${device(PF)}/sriov_numvfs`, '3', 'ERANGE'],
  ['as booted', `${device(PF)}/sriov_numvfs`, 'x', 'EINVAL'],
  ['as booted', `${device(PF)}/sriov_drivers_autoprobe`, 'perhaps', 'EINVAL'],
  ['A unbound', driver('e1000', 'bind'), A, 'OK'],
  ['A unbound', driver('e1000', 'unbind'), A, 'ENODEV'],
  ['A unbound', `${device(A)}/enable`, '0', 'EIO'],
  ['A unbound', `${device(A)}/enable`, '1', 'OK'],
  [
    'A on vfio-pci',
    driver('vfio-pci', 'bind'),
    A,
    { '6.1': 'EBUSY', '6.12': 'EBUSY', '7.2': 'EBUSY', legacy: 'ENODEV' },
  ],
  ['A on vfio-pci', driver('e1000', 'unbind'), A, 'ENODEV'],
  ['A on vfio-pci', driver('vfio-pci', 'unbind'), A, 'OK'],
  ['A on vfio-pci', driver('e1000', 'unbind'), B, 'OK'],
  [
    'group owned through A, B unbound',
    driver('e1000', 'bind'),
    B,
    { '6.1': 'EBUSY', '6.12': 'EBUSY', '7.2': 'EBUSY' },
  ],
  [
    'group owned through A, B unbound',
    probe,
    B,
    { '6.1': 'EINVAL', '6.12': 'EINVAL', '7.2': 'EINVAL' },
  ],
  ['group owned through A, B unbound', driver('vfio-pci', 'unbind'), A, 'blocked'],
  ['group owned through A, B unbound', `${device(A)}/remove`, '1', 'blocked'],
  [
    'group owned through A, B unbound',
    type(1),
    'DMA',
    { '6.1': 'EINVAL', '6.12': 'EPERM', '7.2': 'EPERM' },
  ],
  ['A being unbound while open', driver('vfio-pci', 'unbind'), A, 'blocked'],
  [
    'A being unbound while open',
    driver('vfio-pci', 'bind'),
    A,
    { '6.1': 'blocked', '6.12': 'blocked', '7.2': 'blocked', legacy: 'ENODEV' },
  ],
  ['A being unbound while open', probe, A, 'OK'],
  ['A being unbound while open', `${device(A)}/enable`, '1', 'blocked'],
  [
    'A being unbound while open',
    `${device(A)}/driver_override`,
    'none',
    { '6.1': 'blocked', '6.12': 'OK', '7.2': 'OK', legacy: 'blocked' },
  ],
  ['two VFs', `${device(PF)}/sriov_numvfs`, '1', 'EBUSY'],
  ['two VFs', `${device(PF)}/sriov_numvfs`, '2', 'OK'],
  ['two VFs', `${device(PF)}/sriov_numvfs`, '0', 'OK'],
  ['two VFs', `${device('0000:04:00.1')}/remove`, '1', 'ENOENT'],
];

for (const [state, path, data, answer] of rows) {
  const byProfile: Readonly<Partial<Record<KernelProfile, string>>> =
    typeof answer === 'string'
      ? { '6.1': answer, '6.12': answer, '7.2': answer, legacy: answer }
      : answer;
  const name = data.length > 40 ? `${data.length} characters` : JSON.stringify(data);
  test(`${state}: ${name} to ${path.replace('/sys/', '')} gives ${JSON.stringify(answer)}`, async () => {
    for (const [profile, expected] of Object.entries(byProfile)) {
      const bench = Bench.of(profile as KernelProfile);
      await states[state]?.(bench);
      assert.equal(await bench.write(path, data), expected, profile);
    }
  });
}
