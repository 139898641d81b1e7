// KernelModel as its users see it: the six calls of KernelFs, deadlines, the journal, hints, reboots, and the
// faults that can be armed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeHint } from '../../../src/kernel/fs.ts';
import type { Fault } from '../../../src/kernel/model/faults.ts';
import { bindingOf } from '../../../src/kernel/model/truth.ts';
import { Bench, User, at, device } from './bench-machine.ts';

const A = '0000:00:05.0';
const NIC = '0000:01:00.0';
const unbindVfio = '/sys/bus/pci/drivers/vfio-pci/unbind';

test('a call that outlives its deadline is pending, and its late answer comes', async () => {
  const bench = Bench.of('6.12');
  await bench.toVfio(NIC);
  const user = new User(bench);
  user.take(3, NIC);
  const call = bench.model.write(unbindVfio, NIC, { deadlineMs: 500 });
  await bench.pass(600);
  const outcome = await call;
  assert.equal(outcome.kind, 'pending');
  assert.ok(outcome.kind === 'pending');
  user.close('d');
  await bench.pass(100);
  assert.deepEqual(await outcome.settles, { kind: 'value', value: NIC.length });
  assert.equal(await bench.driver(NIC), 'ENOENT');
});

test('errnos are data for every call', async () => {
  const { model } = Bench.of('6.12');
  const errno = (name: string) => ({ kind: 'errno', errno: name });
  assert.deepEqual(await model.read('/sys/none'), errno('ENOENT'));
  assert.deepEqual(await model.read('/sys/bus'), errno('EISDIR'));
  assert.deepEqual(await model.read('/sys/bus/pci/drivers_probe'), errno('EACCES'));
  assert.deepEqual(await model.list(`${device(A)}/vendor`), errno('ENOTDIR'));
  assert.deepEqual(await model.readLink(`${device(A)}/vendor`), errno('EINVAL'));
  assert.deepEqual(await model.exists('/sys/none'), { kind: 'value', value: false });
  assert.deepEqual(await model.exists(`${device(A)}/driver`), { kind: 'value', value: true });
});

test('links are relative, as the kernel gives them', async () => {
  const { model } = Bench.of('6.12');
  const link = async (path: string) => {
    const outcome = await model.readLink(path);
    return outcome.kind === 'value' ? outcome.value : outcome.kind;
  };
  assert.equal(await link(device(NIC)), `../../../devices/pci0000:00/0000:00:07.0/${NIC}`);
  assert.equal(await link(`${device(A)}/driver`), '../../../bus/pci/drivers/e1000');
  assert.equal(await link(`${device(NIC)}/iommu_group`), '../../../../kernel/iommu_groups/3');
  assert.equal(await link(`${device(NIC)}/iommu`), '../../../virtual/iommu/dmar0');
  assert.equal(await link('/sys/class/net/eth0'), `../../devices/pci0000:00/${A}/net/eth0`);
});

test('the journal has every write with its time and answer, and forgets on request', async () => {
  const bench = Bench.of('6.12');
  await bench.override(A, 'vfio-pci');
  await bench.bind('e1000', '0000:ff:1f.7');
  const [first, second] = bench.model.journal();
  assert.deepEqual(first?.settled, { kind: 'value', value: 8 });
  assert.deepEqual([first?.path, first?.data], [`${device(A)}/driver_override`, 'vfio-pci']);
  assert.deepEqual(second?.settled, { kind: 'errno', errno: 'ENODEV' });
  assert.ok((second?.startMs ?? 0) > (first?.endMs ?? 0));
  bench.model.clearJournal();
  assert.deepEqual(bench.model.journal(), []);
});

test('hints come with uevents, and an overflow says that some were lost', async () => {
  const bench = Bench.of('6.12');
  const hints: ChangeHint[] = [];
  const subscription = bench.model.changes((hint) => hints.push(hint));
  await bench.unbind('e1000', A);
  assert.deepEqual(hints.at(-1), { source: 'uevent', subject: `/devices/pci0000:00/${A}` });
  hints.length = 0;
  for (let i = 0; i < 5000; i++) bench.model.machine.uevents.emit('change', '/devices/x', []);
  await bench.pass(0);
  assert.equal(hints[0]?.source, 'overflow');
  subscription.close();
  hints.length = 0;
  await bench.bind('e1000', A);
  assert.deepEqual(hints, []);
});

test('a reboot takes overrides, VFs and open files, and gives native drivers back', async () => {
  const bench = Bench.of('6.12');
  await bench.toVfio(A);
  await bench.write(`${device('0000:04:00.0')}/sriov_numvfs`, '2');
  await bench.write(`${device('0000:00:06.0')}/remove`, '1');
  new User(bench).open('c', '/dev/vfio/vfio');
  bench.model.reboot({ bootId: 'aaaaaaaa-0000-4000-8000-000000000000' });
  assert.equal(await bench.driver(A), 'e1000');
  assert.equal(await bench.read(`${device(A)}/driver_override`), '(null)');
  assert.equal(await bench.driver('0000:00:06.0'), 'nvme');
  assert.equal(await bench.link(`${device('0000:04:00.1')}/driver`), 'ENOENT');
  assert.equal(
    await bench.read('/proc/sys/kernel/random/boot_id'),
    'aaaaaaaa-0000-4000-8000-000000000000',
  );
  assert.deepEqual(bench.model.openUses(), []);
});

test('a reboot can give every group another number, and members stay together', async () => {
  const bench = Bench.of('6.12');
  const groupsOf = async (): Promise<Map<string, string>> => {
    const map = new Map<string, string>();
    for (const address of bench.model.machine.devices.keys()) {
      map.set(address, await bench.link(`${device(address)}/iommu_group`));
    }
    return map;
  };
  const before = await groupsOf();
  bench.model.reboot({ bootId: 'b', renumber: true });
  const after = await groupsOf();
  assert.notDeepEqual(after, before);
  for (const [one, number] of before) {
    for (const [other, same] of before) {
      assert.equal(number === same, after.get(one) === after.get(other), `${one} and ${other}`);
    }
  }
});

/** A fault, what is done, and what it comes to. */
interface FaultCase {
  readonly fault: Fault;
  readonly act: (bench: Bench) => Promise<unknown>;
  readonly sees: unknown;
}

const faults: Readonly<Record<string, FaultCase>> = {
  'a probe that fails is told by bind': {
    fault: { kind: 'probe-errno', errno: 'EIO', driver: 'e1000' },
    act: async (bench) => {
      await bench.unbind('e1000', A);
      return [await bench.bind('e1000', A), await bench.driver(A)];
    },
    sees: ['EIO', 'ENOENT'],
  },
  'a probe that defers binds later by itself': {
    fault: { kind: 'probe-defer', retryMs: 5000, address: at(A), times: 1 },
    act: async (bench) => {
      await bench.unbind('e1000', A);
      const first = [await bench.bind('e1000', A), await bench.driver(A)];
      await bench.pass(6000);
      return [...first, await bench.driver(A)];
    },
    sees: ['EAGAIN', 'ENOENT', 'e1000'],
  },
  'a module that is loaded steals a device that was unbound': {
    fault: { kind: 'autoload-steal', afterMs: 100, address: at(A) },
    act: async (bench) => {
      await bench.unbind('e1000', A);
      return bench.driver(A);
    },
    sees: 'e1000',
  },
  'an override keeps the thief away': {
    fault: { kind: 'autoload-steal', afterMs: 100, address: at(A) },
    act: async (bench) => {
      await bench.override(A, 'vfio-pci');
      await bench.unbind('e1000', A);
      return bench.driver(A);
    },
    sees: 'vfio-pci',
  },
  'an override can be lost': {
    fault: { kind: 'override-loss', times: 1 },
    act: async (bench) => {
      await bench.override(A, 'vfio-pci');
      return bench.read(`${device(A)}/driver_override`);
    },
    sees: '(null)',
  },
  'a file can vanish between two looks': {
    fault: { kind: 'read-errno', errno: 'ENOENT', path: `${device(A)}/vendor`, times: 1 },
    act: async (bench) => [
      await bench.read(`${device(A)}/vendor`),
      await bench.read(`${device(A)}/vendor`),
    ],
    sees: ['ENOENT', '0x8086'],
  },
  'a read can hang': {
    fault: { kind: 'read-hang', path: `${device(A)}/*` },
    act: (bench) => bench.read(`${device(A)}/vendor`),
    sees: 'blocked',
  },
  'a read-only sysfs refuses every write': {
    fault: { kind: 'read-only', errno: 'EROFS' },
    act: (bench) => bench.override(A, 'vfio-pci'),
    sees: 'EROFS',
  },
  'a reset can fail': {
    fault: { kind: 'reset-failure', errno: 'ENOTTY' },
    act: (bench) => bench.write(`${device('0000:00:06.0')}/reset`, '1'),
    sees: 'ENOTTY',
  },
  'a dead function reads all ones, and its vendor file is still right': {
    fault: { kind: 'dead', address: at(NIC) },
    act: async (bench) => {
      const config = await bench.model.read(`${device(NIC)}/config`);
      const bytes = config.kind === 'value' ? [...config.value.slice(0, 4)] : [];
      return [bytes, await bench.read(`${device(NIC)}/vendor`)];
    },
    sees: [[255, 255, 255, 255], '0x8086'],
  },
  'a function stuck in D3cold cannot be opened': {
    fault: { kind: 'd3cold', address: at(NIC) },
    act: async (bench) => {
      await bench.toVfio(NIC);
      const user = new User(bench);
      user.open('c', '/dev/vfio/vfio');
      user.open('g', '/dev/vfio/3');
      user.setContainer('g', 'c');
      user.setIommu('c');
      return [user.device('d', 'g', NIC), await bench.read(`${device(NIC)}/power_state`)];
    },
    sees: ['EIO', 'D3cold'],
  },
  'events can be lost': {
    fault: { kind: 'uevent-loss', chance: 1 },
    act: async (bench) => {
      await bench.unbind('e1000', A);
      return bench.events();
    },
    sees: [],
  },
  'events can come twice': {
    fault: { kind: 'uevent-duplicate', chance: 1, times: 1 },
    act: async (bench) => {
      await bench.unbind('e1000', A);
      return bench.events().length;
    },
    sees: 5,
  },
  'events can come in another order': {
    fault: { kind: 'uevent-reorder', chance: 1, times: 1 },
    act: async (bench) => {
      await bench.unbind('e1000', A);
      return bench
        .events()
        .map((event) => event.replace(/^.*\//, ''))
        .slice(0, 2);
    },
    sees: ['tx-0', 'rx-0'],
  },
};

for (const [name, { fault, act, sees }] of Object.entries(faults)) {
  test(name, async () => {
    const bench = Bench.of('6.12');
    const armed = bench.model.control.inject(fault);
    assert.deepEqual(await act(bench), sees);
    armed.clear();
    assert.deepEqual(bench.model.machine.faults.list(), []);
    await bench.pass(2000);
    assert.equal(await bench.read(`${device(A)}/vendor`), '0x8086');
  });
}

for (const kind of ['unbind-hang', 'remove-spin'] as const) {
  test(`${kind}: the removal ends only when the fault is cleared, and the group stays the kernel's`, async () => {
    const bench = Bench.of('6.12');
    const armed = bench.model.control.inject({ kind, address: at(A) });
    const unbind = await bench.startWrite('/sys/bus/pci/drivers/e1000/unbind', A);
    await bench.pass(100_000);
    assert.equal(unbind.now, null);
    assert.equal(await bench.driver(A), 'ENOENT');
    assert.equal(bench.model.ownershipOf(1)?.ownerCount, 2);
    assert.equal(bindingOf(bench.model.machine, at(A))?.settled, false);
    armed.clear();
    await bench.pass(1000);
    assert.notEqual(unbind.now, null);
    assert.equal(bench.model.ownershipOf(1)?.ownerCount, 1);
  });
}

test('without an IOMMU, no-IOMMU mode makes a group for the binding and taints the kernel', async () => {
  const bench = Bench.of('6.12', 'acpi-hotplug', {
    iommu: { kind: 'none', units: [], interruptRemapping: false, unsafeInterruptsAllowed: false },
    noiommuMode: true,
  });
  await bench.toVfio(NIC);
  const group = await bench.link(`${device(NIC)}/iommu_group`);
  assert.equal(await bench.read(`/sys/kernel/iommu_groups/${group}/name`), 'vfio-noiommu');
  assert.deepEqual(await bench.names('/dev/vfio'), [`noiommu-${group}`, 'vfio']);
  assert.equal(await bench.read('/proc/sys/kernel/tainted'), '64');
  const user = new User(bench);
  user.open('c', '/dev/vfio/vfio');
  assert.equal(user.open('g', `/dev/vfio/noiommu-${group}`), 'OK');
  assert.equal(user.setContainer('g', 'c'), 'OK');
  assert.equal(user.setIommu('c', 1), 'ENODEV');
  assert.equal(user.setIommu('c', 8), 'OK');
  for (const file of ['g', 'c']) user.close(file);
  await bench.unbind('vfio-pci', NIC);
  assert.equal(await bench.link(`${device(NIC)}/iommu_group`), 'ENOENT');
});
