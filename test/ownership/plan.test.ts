import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { known } from '../../src/base/known.ts';
import { claimSteps, resetSteps, returnSteps } from '../../src/ownership/plan.ts';
import type { GroupRecord } from '../../src/ownership/record.ts';
import { bindingOf } from '../../src/ownership/situation.ts';
import type { Step } from '../../src/ownership/step.ts';
import { unfitMembers } from '../../src/ownership/verify.ts';
import { detail, fn, group, look, record, recorded } from '../support/groups.ts';

/** A member of an abstract machine on which steps always succeed. */
interface Device {
  readonly address: string;
  readonly bridge: boolean;
  readonly driver: string | null;
  readonly override: string | null;
}

function observe(devices: readonly Device[]) {
  const functions = devices.map((d) =>
    fn(d.address, { driver: d.driver, classCode: d.bridge ? '060400' : '020000' }),
  );
  return look(group(functions), {
    details: devices.map((d) => detail(d.address, d.override)),
  });
}

function apply(devices: readonly Device[], step: Step): Device[] {
  return devices.map((d) => {
    if (d.address !== step.address) return d;
    switch (step.kind) {
      case 'SetOverride':
        return { ...d, override: step.override };
      case 'Unbind':
        assert.equal(d.driver, step.driver, 'unbinds the driver that is bound');
        return { ...d, driver: null };
      case 'Probe':
        return { ...d, driver: d.override ?? d.driver };
      case 'Bind':
        assert.equal(d.driver, null, 'binds only what has no driver');
        return { ...d, driver: step.driver };
      case 'Reset':
        return d;
    }
  });
}

function recordOf(devices: readonly Device[]): GroupRecord {
  return record(
    devices.map((d) =>
      recorded(d.address, {
        role: d.bridge ? 'bridge' : 'primary',
        originalDriver: d.driver,
        originalOverride: d.override,
      }),
    ),
  );
}

const drivers = ['e1000', 'nvme', 'vfio-pci', 'pci-stub', null] as const;
const machine = fc
  .array(
    fc.record({
      driver: fc.constantFrom(...drivers),
      override: fc.constantFrom(null, 'vfio-pci', 'none'),
      bridge: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((list) =>
    list.map((d, i) => ({
      ...d,
      driver: d.bridge ? 'pcieport' : d.driver,
      override: d.bridge ? null : d.override,
      address: `0000:00:05.${i}`,
    })),
  );

test('a claim and a return put every driver and override back, wherever a crash makes them start again', () => {
  fc.assert(
    fc.property(machine, fc.array(fc.nat(12), { maxLength: 6 }), (before, crashes) => {
      const taken = recordOf(before);
      let now: Device[] = before;
      const run = (plan: () => readonly Step[]): void => {
        // A crash after n steps: what is left is planned anew from what is observed.
        for (const n of [...crashes, Number.MAX_SAFE_INTEGER]) {
          for (const step of plan().slice(0, n)) now = apply(now, step);
        }
      };
      run(() => claimSteps(taken, observe(now)));
      assert.deepEqual(unfitMembers(taken, observe(now)), []);
      assert.equal(claimSteps(taken, observe(now)).length, 0);
      run(() => returnSteps(taken, observe(now)));
      assert.deepEqual(now, before);
      assert.equal(bindingOf({ ...taken, phase: 'Returning' }, observe(now)), 'Host');
    }),
  );
});

test('a function whose unbind is still going on is neither with the host nor taken', () => {
  const before: Device[] = [
    { address: '0000:00:05.0', driver: null, override: null, bridge: false },
  ];
  const record = { ...recordOf(before), phase: 'Returning' as const };
  const seen = observe(before);
  assert.equal(bindingOf(record, seen), 'Host');
  const leaving = seen.details.map((one) => ({ ...one, leavingDriver: known('vfio-pci') }));
  assert.equal(bindingOf(record, { ...seen, details: leaving }), 'Unknown');
});

test('a claim writes every override before it unbinds anything, and unbinds before it probes', () => {
  fc.assert(
    fc.property(machine, (before) => {
      const kinds = claimSteps(recordOf(before), observe(before)).map((step) => step.kind);
      const order = ['SetOverride', 'Unbind', 'Probe'];
      const ranks = kinds.map((kind) => order.indexOf(kind));
      assert.deepEqual(
        ranks,
        [...ranks].sort((a, b) => a - b),
      );
    }),
  );
});

test('bridges are never touched', () => {
  const devices: Device[] = [
    { address: '0000:00:07.0', bridge: true, driver: 'pcieport', override: null },
    { address: '0000:01:00.0', bridge: false, driver: 'e1000e', override: null },
  ];
  const steps = claimSteps(recordOf(devices), observe(devices));
  assert.ok(steps.every((step) => step.address === '0000:01:00.0'));
});

test('an override that cannot be read is written rather than assumed', () => {
  const before = [
    { address: '0000:00:05.0', bridge: false, driver: 'vfio-pci', override: 'vfio-pci' },
  ];
  const seen = observe(before);
  const blind = { ...seen, details: [] };
  assert.deepEqual(claimSteps(recordOf(before), blind), [
    { kind: 'SetOverride', address: '0000:00:05.0', override: 'vfio-pci' },
  ]);
});

test('a reset is planned only when one is due, wanted, and possible', () => {
  const devices = [
    { address: '0000:00:05.0', bridge: false, driver: 'vfio-pci', override: 'vfio-pci' },
  ];
  const seen = observe(devices);
  const due = { ...recordOf(devices), resetDue: true };
  assert.equal(resetSteps(due, seen).length, 1);
  assert.equal(resetSteps({ ...due, resetDue: false }, seen).length, 0);
  assert.equal(resetSteps({ ...due, reset: 'Never' }, seen).length, 0);
  const unable = { ...seen, details: [detail('0000:00:05.0', 'vfio-pci', [])] };
  assert.equal(resetSteps(due, unable).length, 0);
});
