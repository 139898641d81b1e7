import assert from 'node:assert/strict';
import { rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { createHost } from '../../src/host/create-host.ts';
import type { Host } from '../../src/host/host.ts';
import { changesBetween, isNone } from '../../src/pci/changes.ts';
import { endpoints } from '../../src/pci/group.ts';
import { eventually, feed, makeFifo } from '../kernel/linux/support.ts';
import { at, link, realClock, type TestMachine, testMachines } from './machine.ts';
import { processTree } from './using.ts';

const newMachine = testMachines();
const gpu = at('0000:01:00.0');
const audio = at('0000:01:00.1');
const port = at('0000:00:01.0');

function hostOf(machine: TestMachine): Host {
  return createHost({
    kernel: machine.kernel,
    clock: realClock,
    log: silentLog,
    stepDeadlineMs: 200,
  });
}

function workstation(t: Parameters<typeof newMachine>[0]): TestMachine {
  const machine = newMachine(t);
  machine.addFunction({ address: port, classCode: '060400', driver: 'pcieport', group: 3 });
  machine.addFunction({
    address: gpu,
    upstream: [port],
    classCode: '030000',
    driver: 'nouveau',
    group: 3,
    below: { boot_vga: '0\n' },
  });
  machine.addFunction({
    address: audio,
    upstream: [port],
    classCode: '040300',
    driver: 'snd_hda_intel',
    group: 3,
  });
  machine.addFunction({ address: '0000:02:00.0', group: 4 });
  machine.add(processTree(1));
  return machine;
}

test('a look has the details of every member, bridges too, and the uses of the endpoints', async (t) => {
  const machine = workstation(t);
  machine.add({
    'sys/class/drm/card0': link(`../../devices/pci0000:00/${port}/${gpu}/drm/card0`),
    ...processTree(7, { comm: 'Xorg', files: ['/dev/dri/card0'] }),
  });
  const host = hostOf(machine);
  const inventory = await host.inventory();
  const [second, first] = await host.look(
    inventory,
    inventory.groups.map((group) => group.key).reverse(),
  );
  assert.deepEqual([first?.group.number, second?.group.number], [3, 4]);
  assert.deepEqual(
    first?.details.map((detail) => detail.address),
    [port, gpu, audio],
  );
  assert.deepEqual(first?.details[1], {
    address: gpu,
    driverOverride: { known: true, value: null },
    accessible: { known: true, value: true },
    resetMethods: { known: true, value: ['flr', 'bus'] },
    unbindForbidden: { known: true, value: false },
    leavingDriver: { known: true, value: null },
  });
  assert.deepEqual(
    first?.uses.map((use) => [use.address, use.kind]),
    [[gpu, 'DisplayClient']],
  );
  assert.deepEqual(second?.uses, []);
});

test('a group that the inventory does not have is left out', async (t) => {
  const host = hostOf(workstation(t));
  const { groups, ...rest } = await host.inventory();
  const keys = groups.map((group) => group.key);
  const looks = await host.look({ ...rest, groups: groups.slice(1) }, keys);
  assert.deepEqual(
    looks.map((look) => look.group.number),
    [4],
  );
});

test('by one member, its whole group is read and no other', async (t) => {
  const host = hostOf(workstation(t));
  const looks = await host.lookAt([audio, at('0000:99:00.0')]);
  assert.deepEqual(
    looks.map((look) => look.group.key),
    [`${port},${gpu},${audio}`],
  );
  assert.deepEqual(
    endpoints(looks[0]?.group ?? assert.fail()).map((fn) => fn.address),
    [gpu, audio],
  );
});

test('what is dead, cannot be reset or may not be unbound is told', async (t) => {
  const machine = workstation(t);
  const place = join(machine.folder, 'sys/bus/pci/devices', gpu);
  machine.add({ [`sys/bus/pci/devices/${gpu}/config`]: Buffer.alloc(64, 0xff) });
  rmSync(join(place, 'reset_method'));
  rmSync(join(place, 'reset'));
  rmSync(join(machine.folder, 'sys/bus/pci/drivers/nouveau/unbind'));
  const [look] = await hostOf(machine).lookAt([gpu]);
  const detail = look?.details[1];
  assert.deepEqual(detail?.accessible, { known: true, value: false });
  assert.deepEqual(detail?.resetMethods, { known: true, value: [] });
  assert.deepEqual(detail?.unbindForbidden, { known: true, value: true });
});

test('a virtual function lives although its vendor and device read as ones', async (t) => {
  const machine = workstation(t);
  const config = Buffer.from('ffffffff02001000010000020000000000000000', 'hex');
  machine.add({ [`sys/bus/pci/devices/${gpu}/config`]: config });
  const [look] = await hostOf(machine).lookAt([gpu]);
  assert.deepEqual(look?.details[1]?.accessible, { known: true, value: true });
});

const badDetails: readonly (readonly [
  field: 'driverOverride' | 'accessible' | 'resetMethods',
  file: string,
  text: string,
  why: RegExp,
])[] = [
  ['driverOverride', 'driver_override', 'vfio-pci', /instead of one line/],
  ['driverOverride', 'driver_override', 'a\nb\n', /instead of one line/],
  ['accessible', 'config', 'abc', /3 bytes instead of 8/],
  ['resetMethods', 'reset_method', 'FLR\n', /instead of names of reset methods/],
];

for (const [field, file, text, why] of badDetails) {
  test(`${file} with ${JSON.stringify(text)} makes ${field} unknown`, async (t) => {
    const machine = workstation(t);
    machine.add({ [`sys/bus/pci/devices/${gpu}/${file}`]: text });
    const [look] = await hostOf(machine).lookAt([gpu]);
    const fact = look?.details[1]?.[field];
    assert.equal(fact?.known, false);
    assert.match(fact.why, why);
  });
}

test('a detail that hangs is unknown; one of a locked function is not even tried', async (t) => {
  const machine = workstation(t);
  const file = join(machine.folder, 'sys/bus/pci/devices', gpu, 'driver_override');
  unlinkSync(file);
  makeFifo(file);
  const host = hostOf(machine);
  const locked = await host.lookAt([gpu], { skipLocked: new Set([gpu]) });
  assert.equal(machine.kernel.pendingCount, 0);
  const skipped = locked[0]?.details[1];
  for (const fact of [skipped?.driverOverride, skipped?.accessible, skipped?.resetMethods]) {
    assert.match(fact?.known === false ? fact.why : '', /an operation on the device is pending/);
  }
  assert.equal(locked[0]?.details[2]?.driverOverride.known, true);
  const open = await host.lookAt([gpu]);
  assert.deepEqual(open[0]?.details[1]?.driverOverride, {
    known: false,
    path: `/sys/bus/pci/devices/${gpu}/driver_override`,
    why: 'pending',
  });
  await feed(file);
});

test('whether a function is open is one read', async (t) => {
  const machine = workstation(t);
  const host = hostOf(machine);
  machine.add({
    [`sys/bus/pci/devices/${gpu}/enable`]: '0\n',
    [`sys/bus/pci/devices/${audio}/enable`]: '2\n',
  });
  assert.deepEqual(await host.isOpen(gpu), { known: true, value: false });
  assert.deepEqual(await host.isOpen(audio), { known: true, value: true });
  assert.equal((await host.isOpen(at('0000:99:00.0'))).known, false);
});

test('device files are named as they are now', async (t) => {
  const machine = workstation(t);
  const host = hostOf(machine);
  assert.deepEqual(await host.vfioNodes(3, [gpu, audio]), {
    known: true,
    value: { group: null, devices: [] },
  });
  machine.add({
    'dev/vfio': { vfio: '', '3': '', '33': '', devices: { vfio5: '' } },
    [`sys/bus/pci/devices/${gpu}/vfio-dev/vfio5`]: {},
    [`sys/bus/pci/devices/${audio}/vfio-dev/vfio6`]: {},
  });
  assert.deepEqual(await host.vfioNodes(3, [gpu, audio]), {
    known: true,
    value: { group: '/dev/vfio/3', devices: [{ address: gpu, path: '/dev/vfio/devices/vfio5' }] },
  });
  machine.add({ 'dev/vfio': '' });
  assert.equal((await host.vfioNodes(3, [gpu])).known, false);
});

test('the fingerprint tells where a bind, a device, a group file, a mount mark and an open were, and nothing before', async (t) => {
  const machine = workstation(t);
  const host = hostOf(machine);
  machine.add({
    'sys/class/vfio-dev/vfio5': link(`../../devices/pci0000:00/${port}/${gpu}/vfio-dev/vfio5`),
    [`sys/bus/pci/devices/${gpu}/enable`]: '0\n',
    'sys/bus/pci/drivers/vfio-pci/bind': '',
    'dev/vfio/vfio': '',
    'sys/class/drm/version': 'drm 1.1.0\n',
  });
  let last = await host.fingerprint();
  assert(isNone(changesBetween(last, await host.fingerprint())));
  const driver = `../../devices/pci0000:00/${port}/${gpu}/drm/card0`;
  const changes = [
    [{ 'sys/bus/pci/drivers/vfio-pci': { [gpu]: link('x') } }, [gpu]],
    [{ 'sys/class/drm/card0': link(driver) }, [port, gpu]],
    [{ [`sys/bus/pci/devices/${gpu}/enable`]: '1\n' }, [gpu]],
    [{ 'sys/bus/pci/devices/0000:09:00.0': link('x') }, ['0000:09:00.0']],
    [{ 'sys/kernel/iommu_groups/77': {} }, ['77']],
    [{ 'sys/class/iommu/dmar9': link('x') }, null],
    [{ 'dev/vfio/9': '' }, ['9']],
    [{ 'sys/fs/ext4/sda1': {} }, null],
    [{ 'sys/class/net/eth7': link('x') }, null],
    [{ 'proc/1/net/route': 'Iface\n' }, null],
  ] as const;
  for (const [change, where] of changes) {
    machine.add(change);
    const now = await host.fingerprint();
    const found = changesBetween(last, now);
    const told =
      found.kind === 'anything'
        ? null
        : [...found.functions, ...found.groups].map(String).toSorted((x, y) => x.localeCompare(y));
    assert.deepEqual(told, where, JSON.stringify(change));
    last = now;
  }
});

test('the accounting of ownership is found out once for each boot', async (t) => {
  const machine = workstation(t);
  const host = hostOf(machine);
  const boot = (id: string): void =>
    machine.add({
      'proc/sys/kernel': {
        osrelease: '5.14.0-el9\n',
        'random/boot_id': `${id}0000000-0000-4000-8000-000000000000\n`,
      },
    });
  const symbols = (text: string): void => machine.add({ 'proc/kallsyms': text });
  boot('1');
  symbols('f T iommu_group_claim_dma_owner\n');
  assert.deepEqual((await host.facts()).ownershipAccounting, { known: true, value: true });
  symbols('f T other\n');
  assert.deepEqual((await host.facts()).ownershipAccounting, { known: true, value: true });
  boot('2');
  assert.deepEqual((await host.facts()).ownershipAccounting, { known: true, value: false });
});

test('hints of the kernel are passed on until closed', async (t) => {
  const machine = workstation(t);
  machine.add({ 'dev/vfio': { vfio: '' } });
  let heard = 0;
  const subscription = hostOf(machine).changes(() => heard++);
  t.after(() => subscription.close());
  machine.add({ 'dev/vfio/9': '' });
  await eventually('the hint', () => heard > 0);
});
