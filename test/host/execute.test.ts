import assert from 'node:assert/strict';
import { closeSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Step } from '../../src/ownership/step.ts';
import { drain, makeFifo } from '../kernel/linux/support.ts';
import { acting, device, message, nic, rebind, run, setOverride } from './acting.ts';
import { testMachines } from './machine.ts';

const newMachine = testMachines();
test('an override is written as it is, cleared by a line end, and read back', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: nic });
  const { kernel, writes } = acting(machine, (_path, data) => {
    setOverride(machine, data === '\n' ? '(null)' : data);
    return undefined;
  });
  assert.deepEqual(await run(kernel, { kind: 'SetOverride', address: nic, override: 'vfio-pci' }), {
    kind: 'done',
  });
  assert.deepEqual(await run(kernel, { kind: 'SetOverride', address: nic, override: 'vfio-pci' }), {
    kind: 'unneeded',
  });
  assert.deepEqual(await run(kernel, { kind: 'SetOverride', address: nic, override: null }), {
    kind: 'done',
  });
  assert.deepEqual(await run(kernel, { kind: 'SetOverride', address: nic, override: null }), {
    kind: 'unneeded',
  });
  assert.deepEqual(writes, [
    `${device}/driver_override "vfio-pci"`,
    `${device}/driver_override "\\n"`,
  ]);
});

test('an override that does not read back as written has failed', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: nic });
  const { kernel } = acting(machine, () => undefined);
  const outcome = await run(kernel, { kind: 'SetOverride', address: nic, override: 'vfio-pci' });
  assert.match(message(outcome), /does not read back/);
  assert.deepEqual(outcome.kind === 'failed' && outcome.evidence, {
    path: `${device}/driver_override`,
    says: '"(null)"',
  });
});

test('names that could never match, or would leave the folder, are bugs', async (t) => {
  const { kernel } = newMachine(t);
  for (const name of ['', ' vfio-pci', 'vfio-pci\n', '../x', 'a/b']) {
    await assert.rejects(
      run(kernel, { kind: 'SetOverride', address: nic, override: name }),
      /no driver name/,
    );
    await assert.rejects(
      run(kernel, { kind: 'Unbind', address: nic, driver: name }),
      /no driver name/,
    );
  }
  const other = 'MSFT0201:00' as typeof nic;
  await assert.rejects(
    run(kernel, { kind: 'Unbind', address: other, driver: 'x' }),
    /other buses are not written/,
  );
});

test('an unbind writes the full address to the driver, and is unneeded without one', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: nic, driver: 'e1000e' });
  const { kernel, writes } = acting(machine, () => {
    rebind(machine, null);
    return undefined;
  });
  const step: Step = { kind: 'Unbind', address: nic, driver: 'e1000e' };
  assert.deepEqual(await run(kernel, step), { kind: 'done' });
  assert.deepEqual(await run(kernel, step), { kind: 'unneeded' });
  assert.deepEqual(writes, [`/sys/bus/pci/drivers/e1000e/unbind "${nic}"`]);
});

test('an unbind of a device that has gone is unneeded; of one bound to another driver, a failure without a write', async (t) => {
  const machine = newMachine(t);
  const { kernel, writes } = acting(machine, () => undefined);
  const step: Step = { kind: 'Unbind', address: nic, driver: 'e1000e' };
  assert.deepEqual(await run(kernel, step), { kind: 'unneeded' });
  machine.addFunction({ address: nic, driver: 'igb' });
  assert.match(message(await run(kernel, step)), /is bound to igb, not to e1000e/);
  assert.deepEqual(writes, []);
});

test('a missing link does not prove an unbind complete: while uevent names a driver the write is made and waits', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: nic });
  machine.add({ [`sys/bus/pci/devices/${nic}/uevent`]: 'DRIVER=vfio-pci\n' });
  const { kernel, writes } = acting(machine, () => 'ENODEV');
  assert.deepEqual(await run(kernel, { kind: 'Unbind', address: nic, driver: 'vfio-pci' }), {
    kind: 'done',
  });
  assert.equal(writes.length, 1);
});

test('an unbind that hangs is pending, and its late outcome is judged by what is then read', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: nic, driver: 'vfio-pci', vfio: 'vfio0' });
  const unbind = join(machine.folder, 'sys/bus/pci/drivers/vfio-pci/unbind');
  unlinkSync(unbind);
  makeFifo(unbind);
  const outcome = await run(machine.kernel, { kind: 'Unbind', address: nic, driver: 'vfio-pci' });
  assert.equal(outcome.kind, 'pending');
  // Repeating it joins it: still one call in the kernel.
  const again = await run(machine.kernel, { kind: 'Unbind', address: nic, driver: 'vfio-pci' });
  assert.equal(again.kind, 'pending');
  assert.equal(machine.kernel.pendingCount, 1);
  rebind(machine, null);
  const reader = drain(unbind);
  assert.deepEqual(outcome.kind === 'pending' && (await outcome.settles), { kind: 'done' });
  assert.deepEqual(again.kind === 'pending' && (await again.settles), { kind: 'done' });
  assert.equal(readFileSync(reader, 'utf8'), nic);
  closeSync(reader);
});

test('an unbind whose device was bound again at once has failed', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: nic, driver: 'e1000e' });
  const { kernel } = acting(machine, () => undefined);
  assert.match(
    message(await run(kernel, { kind: 'Unbind', address: nic, driver: 'e1000e' })),
    /bound to e1000e again/,
  );
});

test('a probe is done only when the link and the VFIO device are there', async (t) => {
  const machine = newMachine(t);
  machine.add({ 'sys/class/vfio-dev': {} });
  machine.addFunction({ address: nic });
  const step: Step = { kind: 'Probe', address: nic, expectDriver: 'vfio-pci' };
  const nothing = acting(machine, () => undefined);
  assert.match(
    message(await run(nothing.kernel, step)),
    /is not bound to vfio-pci after the write/,
  );
  assert.deepEqual(nothing.writes, [`/sys/bus/pci/drivers_probe "${nic}"`]);
  const half = acting(machine, () => {
    rebind(machine, 'vfio-pci');
    return undefined;
  });
  assert.match(message(await run(half.kernel, step)), /without a VFIO device/);
  const whole = acting(machine, () => {
    machine.add({ [`sys/bus/pci/devices/${nic}/vfio-dev/vfio0`]: {} });
    return undefined;
  });
  assert.deepEqual(await run(whole.kernel, step), { kind: 'done' });
  assert.deepEqual(await run(whole.kernel, step), { kind: 'unneeded' });
});

test('on a kernel without VFIO devices in sysfs the link is enough', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: nic, driver: 'vfio-pci' });
  const { kernel } = acting(machine, () => undefined);
  assert.deepEqual(await run(kernel, { kind: 'Probe', address: nic, expectDriver: 'vfio-pci' }), {
    kind: 'unneeded',
  });
});

test('a probe that expects nothing is done when the kernel took it', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: nic });
  const { kernel } = acting(machine, () => undefined);
  assert.deepEqual(await run(kernel, { kind: 'Probe', address: nic, expectDriver: null }), {
    kind: 'done',
  });
});

test('a probe during an unbind that hangs says so', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: nic });
  machine.add({ [`sys/bus/pci/devices/${nic}/uevent`]: 'DRIVER=vfio-pci\n' });
  const { kernel } = acting(machine, () => undefined);
  const outcome = await run(kernel, { kind: 'Probe', address: nic, expectDriver: 'e1000e' });
  assert.match(message(outcome), /an unbind from vfio-pci is still going on/);
});

test('a bind writes the address to the driver; bound to it already is unneeded, to another a failure', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: nic });
  const { kernel, writes } = acting(machine, () => {
    rebind(machine, 'e1000e');
    return undefined;
  });
  const step: Step = { kind: 'Bind', address: nic, driver: 'e1000e' };
  assert.deepEqual(await run(kernel, step), { kind: 'done' });
  assert.deepEqual(await run(kernel, step), { kind: 'unneeded' });
  assert.match(
    message(await run(kernel, { kind: 'Bind', address: nic, driver: 'igb' })),
    /bound to e1000e already/,
  );
  assert.deepEqual(writes, [`/sys/bus/pci/drivers/e1000e/bind "${nic}"`]);
});

test('a bind refused because someone else was quicker is done', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: nic });
  const { kernel } = acting(machine, () => {
    rebind(machine, 'e1000e');
    return 'EBUSY';
  });
  assert.deepEqual(await run(kernel, { kind: 'Bind', address: nic, driver: 'e1000e' }), {
    kind: 'done',
  });
});

test('an unbind that the driver does not allow says so', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: nic, driver: 'fixed' });
  rmSync(join(machine.folder, 'sys/bus/pci/drivers/fixed/unbind'));
  assert.match(
    message(await run(machine.kernel, { kind: 'Unbind', address: nic, driver: 'fixed' })),
    /suppress_bind_attrs/,
  );
});

test('a reset writes 1 and nothing else', async (t) => {
  const machine = newMachine(t);
  machine.addFunction({ address: nic });
  assert.deepEqual(await run(machine.kernel, { kind: 'Reset', address: nic }), { kind: 'done' });
  assert.equal(readFileSync(join(machine.folder, device, 'reset'), 'utf8'), '1');
});
