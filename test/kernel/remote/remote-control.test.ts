import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePciAddress, type PciAddress } from '../../../src/pci/address.ts';
import { operations } from '../../../src/kernel/model/serve-operations.ts';
import { bench, textOf, until } from './support.ts';

function address(text: string): PciAddress {
  const parsed = parsePciAddress(text);
  assert.ok(parsed.ok);
  return parsed.value;
}
const nic = address('0000:01:00.0');
const pci = '/sys/bus/pci';

test('a user enters a group, the unbind waits for him, and he leaves when he is killed', async (t) => {
  const { kernel, control } = await bench(t);
  await kernel.write(`${pci}/devices/${nic}/driver_override`, 'vfio-pci');
  await kernel.write(`${pci}/drivers/e1000e/unbind`, nic);
  await kernel.write(`${pci}/drivers_probe`, nic);
  const entered = await control.perform('enterGroup', { address: nic });
  assert.ok(entered.kind === 'done');
  const { pid } = entered.value as { pid: number };
  assert.equal(await textOf(kernel, `${pci}/devices/${nic}/enable`), '1\n');
  const fds = await kernel.list(`/proc/${pid}/fd`);
  assert.ok(fds.kind === 'value');
  const targets = await Promise.all(
    fds.value.map((fd) => kernel.readLink(`/proc/${pid}/fd/${fd}`)),
  );
  assert.deepEqual(
    targets.map((target) => (target.kind === 'value' ? target.value : target.kind)),
    ['/dev/vfio/vfio', '/dev/vfio/3', 'anon_inode:[vfio-device]'],
  );
  assert.deepEqual(await control.perform('enterGroup', { address: nic }), {
    kind: 'errno',
    errno: 'EBUSY',
  });
  const unbind = await kernel.write(`${pci}/drivers/vfio-pci/unbind`, nic, { deadlineMs: 100 });
  assert.ok(unbind.kind === 'pending');
  assert.deepEqual(await control.perform('kill', { pid, signal: 9 }), {
    kind: 'done',
    value: null,
  });
  assert.deepEqual(await unbind.settles, { kind: 'value', value: nic.length });
});

test('faults are armed, listed and cleared by number', async (t) => {
  const { kernel, control } = await bench(t);
  const path = `${pci}/devices/${nic}/vendor`;
  const armed = await control.perform('injectFault', {
    fault: { kind: 'read-errno', errno: 'EIO', path },
  });
  assert.deepEqual(armed, { kind: 'done', value: 1 });
  assert.equal(await textOf(kernel, path), 'EIO');
  const listed = await control.perform('listFaults', {});
  assert.deepEqual(listed, { kind: 'done', value: [{ kind: 'read-errno', errno: 'EIO', path }] });
  assert.equal((await control.perform('clearFault', { number: 1 })).kind, 'done');
  assert.equal(await textOf(kernel, path), '0x8086\n');
  assert.deepEqual(await control.perform('clearFault', { number: 1 }), {
    kind: 'errno',
    errno: 'ENOENT',
  });
});

test('a function is plugged in from a topology entry and asked out again', async (t) => {
  const { kernel, control } = await bench(t);
  const added = address('0000:03:00.0');
  const device = {
    parent: address('0000:00:09.0'),
    id: '8086:100e',
    class: '020000',
    driver: 'e1000',
  };
  assert.deepEqual(await control.perform('hotAdd', { address: added, device }), {
    kind: 'done',
    value: null,
  });
  assert.equal(await textOf(kernel, `${pci}/devices/${added}/vendor`), '0x8086\n');
  assert.deepEqual(await kernel.readLink(`${pci}/devices/${added}/iommu_group`), {
    kind: 'value',
    value: '../../../../kernel/iommu_groups/5',
  });
  assert.deepEqual(await control.perform('hotAdd', { address: added, device }), {
    kind: 'errno',
    errno: 'EEXIST',
  });
  assert.equal((await control.perform('hotRemove', { address: added })).kind, 'done');
  assert.deepEqual(await kernel.exists(`${pci}/devices/${added}`), { kind: 'value', value: false });
});

test('mounts, swap and links change what the machine tells, and refuse what is not there', async (t) => {
  const { kernel, control } = await bench(t);
  const request = { source: 'nvme0n1', target: '/mnt/my data', fsType: 'ext4' };
  assert.equal((await control.perform('mount', request)).kind, 'done');
  assert.match(
    await textOf(kernel, '/proc/1/mountinfo'),
    / \/mnt\/my\\040data .* ext4 \/dev\/nvme0n1 /,
  );
  assert.deepEqual(await kernel.exists('/sys/fs/ext4/nvme0n1'), { kind: 'value', value: true });
  assert.equal((await control.perform('unmount', { target: '/mnt/my data' })).kind, 'done');
  assert.deepEqual(await kernel.exists('/sys/fs/ext4/nvme0n1'), { kind: 'value', value: false });
  assert.deepEqual(await control.perform('unmount', { target: '/mnt' }), {
    kind: 'errno',
    errno: 'EINVAL',
  });
  assert.deepEqual(await control.perform('swapOn', { block: 'sdz' }), {
    kind: 'errno',
    errno: 'ENOENT',
  });
  const link = { name: 'eth0', up: true, carrier: true, addresses: ['192.0.2.9/24'] };
  assert.equal((await control.perform('changeLink', link)).kind, 'done');
  assert.equal(await textOf(kernel, '/sys/class/net/eth0/flags'), '0x1003\n');
  assert.match(
    await textOf(kernel, '/proc/1/net/fib_trie'),
    /\|-- 192\.0\.2\.9\n {8}\/32 host LOCAL/,
  );
});

test('a module is loaded and takes what it matches; unloading gives it back', async (t) => {
  const { kernel, control } = await bench(t);
  const driver = { driver: 'e1000e' };
  assert.equal((await control.perform('unloadModule', driver)).kind, 'done');
  assert.equal((await kernel.readLink(`${pci}/devices/${nic}/driver`)).kind, 'errno');
  assert.equal((await control.perform('loadModule', driver)).kind, 'done');
  assert.equal((await kernel.readLink(`${pci}/devices/${nic}/driver`)).kind, 'value');
});

test('after a reboot the boot id is another and clients still get hints and answers', async (t) => {
  const { kernel, control } = await bench(t);
  const hints: unknown[] = [];
  kernel.changes((hint) => hints.push(hint));
  const before = await textOf(kernel, '/proc/sys/kernel/random/boot_id');
  await kernel.write(`${pci}/devices/${nic}/driver_override`, 'vfio-pci');
  const rebooted = await control.perform('reboot', { renumber: true });
  assert.ok(rebooted.kind === 'done');
  const after = await textOf(kernel, '/proc/sys/kernel/random/boot_id');
  assert.notEqual(after, before);
  assert.equal(after, `${String(rebooted.value)}\n`);
  assert.equal(await textOf(kernel, `${pci}/devices/${nic}/driver_override`), '(null)\n');
  await until(() => hints.length > 0, 'the first hint');
  const heard = hints.length;
  await kernel.write(`${pci}/drivers/e1000e/unbind`, nic);
  await until(() => hints.length > heard, 'hints of the new kernel');
});

const wrong: Record<
  string,
  { name: string; given: Record<string, unknown>; field: string; says: RegExp }
> = {
  'an unknown operation': {
    name: 'explode',
    given: {},
    field: 'operation',
    says: /is "explode"; must be one of enterGroup, /,
  },
  'a name that every object has': {
    name: 'constructor',
    given: {},
    field: 'operation',
    says: /must be one of/,
  },
  'a missing argument': {
    name: 'mount',
    given: { source: 'sda', fsType: 'ext4' },
    field: 'target',
    says: /is missing; must be a text/,
  },
  'an unknown argument': {
    name: 'swapOn',
    given: { block: 'sda', priority: 3 },
    field: 'arguments',
    says: /unknown field "priority"; allowed: block/,
  },
  'a bad address': {
    name: 'hotRemove',
    given: { address: '01:00.0' },
    field: 'address',
    says: /must be a PCI address dddd:bb:dd.f/,
  },
  'a bad field of a new device': {
    name: 'hotAdd',
    given: { address: nic, device: { id: '8086', class: '020000' } },
    field: 'device.id',
    says: /vendor:device/,
  },
  'an unknown fault': {
    name: 'injectFault',
    given: { fault: { kind: 'fire' } },
    field: 'fault.kind',
    says: /kind \(one of unbind-hang, /,
  },
  'a fault with a field of another': {
    name: 'injectFault',
    given: { fault: { kind: 'read-only', errno: 'EROFS', path: '/sys' } },
    field: 'fault',
    says: /path/,
  },
};

test('wrong arguments are refused with the field and the allowed form, and nothing is done', async (t) => {
  const { control, model } = await bench(t);
  for (const [what, { name, given, field, says }] of Object.entries(wrong)) {
    const answer = await control.performNamed(name, given);
    assert.ok(answer.kind === 'invalid', what);
    const problem = answer.problems.find((one) => one.field === field);
    assert.ok(problem, `${what}: ${JSON.stringify(answer.problems)}`);
    assert.match(problem.message, says, what);
  }
  assert.deepEqual(model.machine.faults.list(), []);
});

test('every operation is listed with what it does', async (t) => {
  const { control } = await bench(t);
  const listed = await control.operations();
  assert.deepEqual(
    listed.map(({ name }) => name),
    Object.keys(operations),
  );
  for (const { name, does } of listed) assert.match(does, /\.$/, name);
});

test('an operation that waits does not hold up the others', async (t) => {
  const { kernel, control } = await bench(t);
  await kernel.write(`${pci}/devices/${nic}/driver_override`, 'vfio-pci');
  await kernel.write(`${pci}/drivers/e1000e/unbind`, nic);
  await kernel.write(`${pci}/drivers_probe`, nic);
  const entered = await control.perform('enterGroup', { address: nic });
  assert.ok(entered.kind === 'done');
  let over = false;
  const removal = control.perform('hotRemove', { address: nic }).then((answer) => {
    over = true;
    return answer;
  });
  assert.equal((await control.perform('listFaults', {})).kind, 'done');
  assert.equal(over, false);
  await control.perform('kill', { pid: (entered.value as { pid: number }).pid });
  assert.deepEqual(await removal, { kind: 'done', value: null });
});
