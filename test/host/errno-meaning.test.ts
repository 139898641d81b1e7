import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '../../src/ownership/step.ts';
import { acting, message, nic, run } from './acting.ts';
import { testMachines } from './machine.ts';

const newMachine = testMachines();

const refusals: readonly (readonly [Step, errno: string, below: object, RegExp])[] = [
  [
    { kind: 'Bind', address: nic, driver: 'e1000e' },
    'EBUSY',
    {},
    /group is owned by a userspace driver.*\(EBUSY\)/,
  ],
  [
    { kind: 'Bind', address: nic, driver: 'vfio-pci' },
    'EBUSY',
    { virtfn0: '' },
    /has virtual functions/,
  ],
  [{ kind: 'Bind', address: nic, driver: 'vfio-pci' }, 'EINVAL', {}, /a bridge, no IOMMU group/],
  [{ kind: 'Bind', address: nic, driver: 'e1000e' }, 'ENODEV', {}, /does not match it/],
  [{ kind: 'Bind', address: nic, driver: 'e1000e' }, 'EAGAIN', {}, /probe deferral/],
  [{ kind: 'Bind', address: nic, driver: 'e1000e' }, 'ENOENT', {}, /not loaded/],
  [{ kind: 'Bind', address: nic, driver: 'e1000e' }, 'ENOMEM', {}, /failed to probe it \(ENOMEM\)/],
  [
    { kind: 'Probe', address: nic, expectDriver: 'vfio-pci' },
    'EINVAL',
    {},
    /owned by a userspace driver/,
  ],
  [{ kind: 'Probe', address: nic, expectDriver: null }, 'ENODEV', {}, /device is gone/],
  [{ kind: 'SetOverride', address: nic, override: 'x' }, 'EROFS', {}, /mounted read-only/],
  [{ kind: 'SetOverride', address: nic, override: 'x' }, 'ENOENT', {}, /device is gone/],
  [{ kind: 'SetOverride', address: nic, override: 'x' }, 'EIO', {}, /not known/],
  [{ kind: 'Reset', address: nic }, 'ENOTTY', {}, /no way to be reset/],
  [{ kind: 'Reset', address: nic }, 'EAGAIN', {}, /busy with another reset/],
];

for (const [step, errno, below, pattern] of refusals) {
  test(`${step.kind} refused with ${errno} says why: ${pattern.source}`, async (t) => {
    const machine = newMachine(t);
    machine.addFunction({ address: nic, below: { ...below } });
    const { kernel } = acting(machine, () => errno);
    const outcome = await run(kernel, step);
    assert.match(message(outcome), pattern);
    assert.equal(outcome.kind === 'failed' && outcome.errno, errno);
  });
}
