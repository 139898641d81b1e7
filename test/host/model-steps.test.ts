import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { createHost } from '../../src/host/create-host.ts';
import type { Host } from '../../src/host/host.ts';
import { KernelModel } from '../../src/kernel/model/kernel-model.ts';
import type { Returned } from '../../src/kernel/model/operations/returned.ts';
import type { KernelProfile, ProcessSpec } from '../../src/kernel/model/spec.ts';
import { bundledTopology } from '../../src/kernel/model/topology-bundled.ts';
import type { GroupLook } from '../../src/ownership/look.ts';
import type { Step, StepOutcome } from '../../src/ownership/step.ts';
import { at, realClock } from './machine.ts';

const first = at('0000:00:05.0');
const second = at('0000:00:05.1');
const both = [first, second];

/** Twenty times as fast: drivers that take their time to probe, and deadlines, in proportion. */
const hurried: Clock = {
  monotonicMs: () => performance.now() * 20,
  wallMs: () => Date.now(),
  after: (delayMs, fire) => realClock.after(delayMs / 20, fire),
};

const systemd: ProcessSpec = {
  pid: 1,
  comm: 'systemd',
  mountNamespace: 'host',
  netNamespace: 'host',
  files: [],
  fdinfo: {},
};

function machineOf(profile: KernelProfile): { model: KernelModel; host: Host } {
  const bare = bundledTopology('transcripts');
  // The machine of the transcripts has no processes of its own; every Linux has pid 1.
  const processes = bare.processes.some(({ pid }) => pid === 1)
    ? bare.processes
    : [systemd, ...bare.processes];
  const spec = { ...bare, processes, profile, release: null };
  const model = new KernelModel({ spec, clock: hurried });
  return { model, host: createHost({ kernel: model, clock: hurried, log: silentLog }) };
}

async function lookOf(host: Host, skipLocked = new Set<typeof first>()): Promise<GroupLook> {
  const [look] = await host.lookAt(both, { skipLocked });
  return look ?? assert.fail('no group');
}

async function all(host: Host, steps: readonly Step[]): Promise<readonly string[]> {
  const kinds: string[] = [];
  for (const step of steps) {
    const outcome = await host.execute(step);
    kinds.push(outcome.kind === 'failed' ? outcome.message : outcome.kind);
  }
  return kinds;
}

const claim: readonly Step[] = [
  ...both.map((address) => ({ kind: 'SetOverride', address, override: 'vfio-pci' }) as const),
  ...both.map((address) => ({ kind: 'Unbind', address, driver: 'e1000' }) as const),
  ...both.map((address) => ({ kind: 'Probe', address, expectDriver: 'vfio-pci' }) as const),
];
const giveBack: readonly Step[] = [
  ...both.map((address) => ({ kind: 'Unbind', address, driver: 'vfio-pci' }) as const),
  ...both.map((address) => ({ kind: 'SetOverride', address, override: null }) as const),
  ...both.map((address) => ({ kind: 'Bind', address, driver: 'e1000' }) as const),
];

/** A process that has the group claimed and one device open. */
function user(model: KernelModel): { leave(): void } {
  const { control } = model;
  const pid = control.spawnProcess('qemu');
  const number = (returned: Returned): number =>
    returned.ok ? returned.value : assert.fail(returned.errno);
  const container = number(control.openFile(pid, '/dev/vfio/vfio'));
  const group = number(control.openFile(pid, '/dev/vfio/1'));
  number(control.setContainer(pid, group, container));
  number(control.setIommu(pid, container, 1));
  const device = number(control.getDeviceFd(pid, group, first));
  return { leave: () => [device, group, container].forEach((fd) => control.closeFile(pid, fd)) };
}

function done(steps: readonly Step[]): readonly string[] {
  return steps.map(() => 'done');
}

async function settled(outcome: StepOutcome): Promise<StepOutcome> {
  return outcome.kind === 'pending' ? outcome.settles : assert.fail(JSON.stringify(outcome));
}

for (const profile of ['6.1', '6.12', '7.2'] as const) {
  test(`on Linux ${profile} a group is taken and given back step by step, and each step only once`, async () => {
    const { host } = machineOf(profile);
    assert.deepEqual((await host.facts()).ownershipAccounting, { known: true, value: true });
    assert.deepEqual(await all(host, claim), done(claim));
    // Of an unbind the kernel keeps no trace: repeating it would be one from another driver.
    const idempotent = claim.filter((step) => step.kind !== 'Unbind');
    assert.deepEqual(
      await all(host, idempotent),
      idempotent.map(() => 'unneeded'),
    );
    const look = await lookOf(host);
    assert.deepEqual(look.inside, { kind: 'nobody' });
    assert.deepEqual(
      look.details.map((detail) => detail.driverOverride),
      [
        { known: true, value: 'vfio-pci' },
        { known: true, value: 'vfio-pci' },
      ],
    );
    const nodes = await host.vfioNodes(look.group.number, both);
    assert.equal(nodes.known && nodes.value.group, '/dev/vfio/1');
    assert.deepEqual(await all(host, giveBack), done(giveBack));
    assert.deepEqual(
      await all(host, giveBack.slice(2)),
      giveBack.slice(2).map(() => 'unneeded'),
    );
  });

  test(`on Linux ${profile} an unbind under a user is pending, the look says who is inside, and it ends when he leaves`, async () => {
    const { model, host } = machineOf(profile);
    await all(host, claim);
    const qemu = user(model);
    assert.equal((await lookOf(host)).inside.kind, 'someone');
    assert.deepEqual(await host.isOpen(first), { known: true, value: true });
    const unbind: Step = { kind: 'Unbind', address: first, driver: 'vfio-pci' };
    const hung = await host.execute(unbind);
    const waiting = await lookOf(host, new Set([first]));
    assert.equal(waiting.inside.kind, 'someone');
    const joined = await host.execute(unbind);
    assert.equal(joined.kind, 'pending', 'the missing link is not taken for the end of the unbind');
    qemu.leave();
    assert.deepEqual(await settled(hung), { kind: 'done' });
    assert.deepEqual(await settled(joined), { kind: 'done' });
    assert.deepEqual((await lookOf(host)).inside, { kind: 'nobody' });
  });

  test(`on Linux ${profile} a native driver cannot come to a sibling of a user, and the refusal is explained`, async () => {
    const { model, host } = machineOf(profile);
    await all(host, [...claim.slice(0, 4), ...claim.slice(4, 5)]);
    const qemu = user(model);
    await host.execute({ kind: 'SetOverride', address: second, override: null });
    const bind = await host.execute({ kind: 'Bind', address: second, driver: 'e1000' });
    assert.match(
      bind.kind === 'failed' ? bind.message : bind.kind,
      /owned by a userspace driver.*EBUSY/,
    );
    const probe = await host.execute({ kind: 'Probe', address: second, expectDriver: 'e1000' });
    assert.match(
      probe.kind === 'failed' ? probe.message : probe.kind,
      /owned by a userspace driver.*EINVAL/,
    );
    qemu.leave();
    assert.deepEqual(await host.execute({ kind: 'Bind', address: second, driver: 'e1000' }), {
      kind: 'done',
    });
  });
}

test('a probe that the kernel calls a success and that bound nothing has failed', async () => {
  const { model, host } = machineOf('6.12');
  await all(host, claim.slice(0, 4));
  model.control.inject({ kind: 'probe-errno', errno: 'ENOMEM', address: first });
  const outcome = await host.execute({ kind: 'Probe', address: first, expectDriver: 'vfio-pci' });
  assert.match(
    outcome.kind === 'failed' ? outcome.message : outcome.kind,
    /is not bound to vfio-pci after the write/,
  );
});

test('an override that the kernel forgets is noticed', async () => {
  const { model, host } = machineOf('6.12');
  model.control.inject({ kind: 'override-loss', address: first });
  const outcome = await host.execute({ kind: 'SetOverride', address: first, override: 'vfio-pci' });
  assert.match(outcome.kind === 'failed' ? outcome.message : outcome.kind, /does not read back/);
});

test('a kernel without ownership accounting says so', async () => {
  const { host } = machineOf('legacy');
  const { ownershipAccounting } = await host.facts();
  assert.deepEqual(ownershipAccounting, { known: true, value: false });
});
