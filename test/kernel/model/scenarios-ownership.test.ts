// What a passthrough agent meets on a kernel, as named scenarios: who owns a group, and what that refuses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelProfile } from '../../../src/kernel/model/spec.ts';
import { Bench, User, at, device, said } from './bench-machine.ts';

const A = '0000:00:05.0';
const B = '0000:00:05.1';
const accounting: readonly KernelProfile[] = ['6.1', '6.12', '7.2'];

/** A on vfio-pci, B held by nobody, the group in a user's hands. */
async function live(profile: KernelProfile): Promise<{ bench: Bench; user: User }> {
  const bench = Bench.of(profile);
  await bench.toVfio(A);
  await bench.override(B, 'none');
  await bench.unbind('e1000', B);
  const user = new User(bench);
  user.take(1, A);
  bench.events();
  return { bench, user };
}

for (const profile of accounting) {
  test(`1 a kernel driver on a sibling makes the group not viable (${profile})`, async () => {
    const bench = Bench.of(profile);
    await bench.toVfio(A);
    const user = new User(bench);
    assert.equal(user.open('c', '/dev/vfio/vfio'), 'OK');
    assert.equal(user.open('g', '/dev/vfio/1'), 'OK');
    assert.equal(user.status('g'), '!viable');
    assert.equal(user.setContainer('g', 'c'), 'EPERM');
    assert.deepEqual(bench.model.ownershipOf(1), { ownerCount: 1, owner: null, domain: 'default' });
  });

  test(`2 with the sibling parked the whole way to a device file is open (${profile})`, async () => {
    const { bench, user } = await live(profile);
    assert.equal(user.device('other', 'g', B), 'ENODEV');
    assert.deepEqual(bench.model.ownershipOf(1), {
      ownerCount: 1,
      owner: 'container',
      domain: 'user',
    });
    assert.equal(await bench.read(`${device(A)}/enable`), '1');
  });

  test(`3 a native bind into an owned group is refused without a trace (${profile})`, async () => {
    const { bench } = await live(profile);
    await bench.override(B, '\n');
    assert.equal(await bench.bind('e1000', B), 'EBUSY');
    assert.equal(await bench.driver(B), 'ENOENT');
    assert.deepEqual(bench.events(), []);
  });

  test(`4 drivers_probe tells the refusal as EINVAL (${profile})`, async () => {
    const { bench } = await live(profile);
    await bench.override(B, '\n');
    assert.equal(await bench.probe(B), 'EINVAL');
  });

  test(`5 drivers that manage their DMA bind into an owned group (${profile})`, async () => {
    const { bench } = await live(profile);
    for (const name of ['pci-stub', 'vfio-pci']) {
      await bench.override(B, name);
      assert.equal(await bench.bind(name, B), 'OK');
      assert.equal(await bench.driver(B), name);
      assert.equal(await bench.unbind(name, B), 'OK');
    }
  });

  test(`6 uio_pci_generic counts as a kernel driver (${profile})`, async () => {
    const { bench } = await live(profile);
    await bench.override(B, 'uio_pci_generic');
    assert.equal(await bench.bind('uio_pci_generic', B), 'EBUSY');
  });

  test(`7 a group bound to VFIO but not claimed may silently become the kernel's (${profile})`, async () => {
    const bench = Bench.of(profile);
    await bench.toVfio(A);
    await bench.override(B, 'none');
    await bench.unbind('e1000', B);
    await bench.override(B, '\n');
    assert.equal(await bench.bind('e1000', B), 'OK');
    const user = new User(bench);
    user.open('c', '/dev/vfio/vfio');
    user.open('g', '/dev/vfio/1');
    assert.equal(user.setContainer('g', 'c'), 'EPERM');
  });

  test(`11 the last VFIO driver takes a claim without an open device with it (${profile})`, async () => {
    const { bench, user } = await live(profile);
    assert.equal(user.close('d'), 'OK');
    assert.equal(await bench.unbind('vfio-pci', A), 'OK');
    assert.deepEqual(bench.model.ownershipOf(1), { ownerCount: 0, owner: null, domain: 'default' });
    assert.equal(user.status('g'), 'ENODEV');
    assert.equal(user.setContainer('g', 'c'), 'ENODEV');
  });

  test(`12 a group file has one opener, and a container leaves only without devices (${profile})`, async () => {
    const { bench, user } = await live(profile);
    assert.equal(new User(bench).open('g', '/dev/vfio/1'), 'EBUSY');
    assert.equal(user.unset('g'), 'EBUSY');
    assert.equal(user.setContainer('g', 'c'), 'EINVAL');
    assert.equal(user.close('d'), 'OK');
    assert.equal(user.unset('g'), 'OK');
    assert.equal(user.unset('g'), 'EINVAL');
  });

  test(`13 a module that is loaded while the group is owned binds elsewhere only (${profile})`, async () => {
    const bench = Bench.of(profile);
    for (const address of [A, B, '0000:02:01.0']) await bench.unbind('e1000', address);
    await bench.start(
      bench.model.control.unloadModule('e1000').then(() => ({ kind: 'value', value: 0 })),
    );
    await bench.override(A, 'vfio-pci');
    await bench.probe(A);
    new User(bench).take(1, A);
    void bench.model.control.loadModule('e1000');
    await bench.pass(2000);
    assert.equal(await bench.driver(B), 'ENOENT');
    assert.equal(await bench.driver('0000:02:01.0'), 'e1000');
  });

  test(`15 pcieport on the port above does not count, and may come and go (${profile})`, async () => {
    const bench = Bench.of(profile);
    await bench.toVfio('0000:01:00.0');
    new User(bench).take(3, '0000:01:00.0');
    assert.equal(await bench.unbind('pcieport', '0000:00:07.0'), 'OK');
    assert.equal(await bench.bind('pcieport', '0000:00:07.0'), 'OK');
  });

  test(`16 shpchp on the bridge above makes the group the kernel's (${profile})`, async () => {
    const bench = Bench.of(profile, 'shpc');
    await bench.toVfio('0000:02:01.0');
    const user = new User(bench);
    user.open('c', '/dev/vfio/vfio');
    user.open('g', '/dev/vfio/4');
    assert.equal(user.setContainer('g', 'c'), 'EPERM');
    assert.equal(await bench.unbind('shpchp', '0000:00:08.0'), 'OK');
    assert.equal(user.setContainer('g', 'c'), 'OK');
    assert.equal(await bench.bind('shpchp', '0000:00:08.0'), 'EBUSY');
  });

  test(`17 a bridge cannot be bound to vfio-pci (${profile})`, async () => {
    const bench = Bench.of(profile);
    await bench.override('0000:00:07.0', 'vfio-pci');
    await bench.unbind('pcieport', '0000:00:07.0');
    assert.equal(await bench.bind('vfio-pci', '0000:00:07.0'), 'EINVAL');
    assert.equal(await bench.probe('0000:00:07.0'), 'OK');
    assert.equal(await bench.driver('0000:00:07.0'), 'ENOENT');
  });
}

for (const profile of ['6.12', '7.2'] as const) {
  const cdev = { cdev: true } as const;

  test(`22 device files claim a group by their iommufd, counted (${profile})`, async () => {
    const bench = Bench.of(profile, 'acpi-hotplug', cdev);
    await bench.toVfio(A);
    await bench.toVfio(B);
    const user = new User(bench);
    assert.equal(user.open('i1', '/dev/iommu'), 'OK');
    assert.equal(user.open('i2', '/dev/iommu'), 'OK');
    assert.equal(user.open('d0', '/dev/vfio/devices/vfio0'), 'OK');
    assert.equal(user.open('d1', '/dev/vfio/devices/vfio1'), 'OK');
    assert.equal(user.bind('d0', 'i1'), 'OK');
    assert.equal(user.bind('d1', 'i2'), 'EPERM');
    assert.equal(user.bind('d1', 'i1'), 'OK');
    assert.equal(user.open('g', '/dev/vfio/1'), 'EBUSY');
    assert.equal(user.bind('d0', 'i1'), 'EINVAL');
    user.close('d0');
    await bench.unbind('vfio-pci', A);
    await bench.override(A, '\n');
    assert.equal(await bench.bind('e1000', A), 'EBUSY');
    user.close('d1');
    assert.equal(await bench.bind('e1000', A), 'OK');
  });

  test(`23 an iommufd as container claims at the device file only (${profile})`, async () => {
    const bench = Bench.of(profile, 'acpi-hotplug', cdev);
    await bench.toVfio(A);
    const user = new User(bench);
    user.open('i', '/dev/iommu');
    user.open('g', '/dev/vfio/1');
    assert.equal(user.setContainer('g', 'i'), 'OK');
    assert.equal(user.status('g'), 'VIABLE CONTAINER_SET');
    assert.equal(user.device('d', 'g', A), 'EPERM');
  });

  test(`an opened device file that is not bound owns nothing, yet keeps the driver (${profile})`, async () => {
    const bench = Bench.of(profile, 'acpi-hotplug', cdev);
    await bench.toVfio('0000:01:00.0');
    const user = new User(bench);
    assert.equal(user.open('d', '/dev/vfio/devices/vfio0'), 'OK');
    assert.equal(bench.model.ownershipOf(3)?.owner, null);
    const unbind = await bench.startWrite('/sys/bus/pci/drivers/vfio-pci/unbind', '0000:01:00.0');
    assert.equal(unbind.now, null);
    user.close('d');
    await bench.pass(100);
    assert.equal(said(unbind, 'OK'), 'OK');
  });
}

test('24 without interrupt remapping the backend is refused, and the claim stays', async () => {
  const spec = Bench.of('6.12').model.machine.spec;
  const bench = Bench.of('6.12', 'acpi-hotplug', {
    iommu: { ...spec.iommu, interruptRemapping: false },
  });
  await bench.toVfio('0000:01:00.0');
  const user = new User(bench);
  user.open('c', '/dev/vfio/vfio');
  user.open('g', '/dev/vfio/3');
  assert.equal(user.setContainer('g', 'c'), 'OK');
  assert.equal(user.setIommu('c'), 'EPERM');
  assert.deepEqual(bench.model.ownershipOf(3), {
    ownerCount: 1,
    owner: 'container',
    domain: 'blocking',
  });
});

const rmrrClaims: Readonly<Record<string, string>> = {
  '6.1': 'EPERM',
  '6.12': 'EINVAL',
  '7.2': 'EINVAL',
};
for (const profile of accounting) {
  test(`24 a direct-mapped member refuses the claim of a group that says VIABLE (${profile})`, async () => {
    const { devices } = Bench.of(profile).model.machine.spec;
    const line = '0x000000007f000000 0x000000007fffffff direct';
    const bench = Bench.of(profile, 'acpi-hotplug', {
      devices: devices.map((one) =>
        one.address === at('0000:01:00.0') ? { ...one, reservedRegions: [line] } : one,
      ),
    });
    assert.match(await bench.read('/sys/kernel/iommu_groups/3/reserved_regions'), /direct\n/);
    await bench.toVfio('0000:01:00.0');
    const user = new User(bench);
    user.open('c', '/dev/vfio/vfio');
    user.open('g', '/dev/vfio/3');
    assert.equal(user.status('g'), 'VIABLE');
    assert.equal(user.setContainer('g', 'c'), rmrrClaims[profile]);
  });

  test(`24 without an IOMMU vfio-pci refuses, and drivers_probe says OK (${profile})`, async () => {
    const bench = Bench.of(profile, 'acpi-hotplug', {
      iommu: { kind: 'none', units: [], interruptRemapping: false, unsafeInterruptsAllowed: false },
    });
    assert.equal(await bench.link(`${device('0000:01:00.0')}/iommu_group`), 'ENOENT');
    await bench.override('0000:01:00.0', 'vfio-pci');
    assert.equal(await bench.bind('vfio-pci', '0000:01:00.0'), 'EINVAL');
    assert.equal(await bench.probe('0000:01:00.0'), 'OK');
    assert.equal(await bench.driver('0000:01:00.0'), 'ENOENT');
  });
}

test('on legacy kernels nothing keeps a native driver out of a live group, and the host dies of it', async () => {
  const bench = Bench.of('legacy');
  await bench.override(A, 'vfio-pci');
  await bench.unbind('e1000', A);
  await bench.probe(A);
  await bench.override(B, 'none');
  await bench.unbind('e1000', B);
  new User(bench).take(1, A);
  await bench.override(B, '\n');
  assert.equal(await bench.bind('e1000', B), 'blocked');
  assert.match(bench.model.machine.crashed ?? '', /kernel BUG at drivers\/vfio\/vfio\.c:698/);
  assert.equal(await bench.read(`${device(A)}/vendor`), 'blocked');
});
