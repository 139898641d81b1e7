// What blocks in the kernel, in which state it sleeps, and what it takes with it; hot-plug and SR-IOV.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelProfile } from '../../../src/kernel/model/spec.ts';
import { sleepers } from '../../../src/kernel/model/truth.ts';
import { hotPlugged } from '../../play/hot-plug.ts';
import { Bench, User, device, said } from './bench-machine.ts';

const A = '0000:00:05.0';
const B = '0000:00:05.1';
const NIC = '0000:01:00.0';
const PF = '0000:04:00.0';
const VF = '0000:04:00.1';
const profiles: readonly KernelProfile[] = ['6.1', '6.12', '7.2'];

/** A's unbind waits for its user. */
async function waiting(profile: KernelProfile) {
  const bench = Bench.of(profile);
  await bench.toVfio(A);
  await bench.override(B, 'none');
  await bench.unbind('e1000', B);
  const user = new User(bench);
  user.take(1, A);
  bench.events();
  const unbind = await bench.startWrite('/sys/bus/pci/drivers/vfio-pci/unbind', A);
  return { bench, user, unbind };
}

function stateOf(bench: Bench): string {
  return sleepers(bench.model.machine)
    .map(({ state }) => state)
    .join('');
}

for (const profile of profiles) {
  const cdevSeries = profile !== '6.1';

  test(`8 an unbind waits for the user: the link is gone, the node is not (${profile})`, async () => {
    const { bench, user, unbind } = await waiting(profile);
    assert.equal(unbind.now, null);
    assert.equal(await bench.driver(A), 'ENOENT');
    assert.deepEqual(await bench.names('/dev/vfio'), ['1', 'vfio']);
    assert.deepEqual(await bench.names(`${device(A)}/vfio-dev`), cdevSeries ? 'ENOENT' : ['vfio0']);
    assert.equal(await bench.read(`${device(A)}/enable`), '1');
    assert.equal(stateOf(bench), 'S');
    user.close('d');
    await bench.pass(100);
    assert.equal(said(unbind, 'OK'), 'OK');
    const events = bench.events();
    assert.deepEqual(events.slice(-2), [
      `remove@/devices/virtual/vfio/1`,
      `unbind@/devices/pci0000:00/${A}`,
    ]);
  });

  test(`8 a signal makes the wait uninterruptible, and no later signal ends it (${profile})`, async () => {
    const { bench, unbind } = await waiting(profile);
    const [sleeper] = sleepers(bench.model.machine);
    assert.equal(bench.model.control.kill(sleeper?.pid ?? -1, 15), null);
    assert.equal(stateOf(bench), 'D');
    assert.equal(bench.model.control.kill(sleeper?.pid ?? -1, 9), null);
    await bench.pass(60_000);
    assert.equal(unbind.now, null);
  });

  test(`9 while it waits, reads that take the device lock hang with it (${profile})`, async () => {
    const { bench, user } = await waiting(profile);
    const locked = cdevSeries ? 'vfio-pci' : 'blocked';
    assert.equal(await bench.read(`${device(A)}/driver_override`), locked);
    const uevent = await bench.read(`${device(A)}/uevent`);
    assert.match(uevent, cdevSeries ? /^DRIVER=vfio-pci$/m : /^blocked$/);
    assert.equal(await bench.read(`${device(A)}/vendor`), '0x8086');
    user.close('d');
    await bench.pass(100);
    assert.equal(await bench.read(`${device(A)}/driver_override`), 'vfio-pci');
  });

  test(`10 while it waits, drivers_probe lies and a bind queues up (${profile})`, async () => {
    const { bench, user } = await waiting(profile);
    assert.equal(await bench.probe(A), 'OK');
    const clearing = await bench.startWrite(`${device(A)}/driver_override`, '\n');
    assert.equal(said(clearing, 'OK'), cdevSeries ? 'OK' : 'blocked');
    const bind = await bench.startWrite('/sys/bus/pci/drivers/e1000/bind', A);
    assert.equal(said(bind, 'OK'), cdevSeries ? 'blocked' : 'ENODEV');
    assert.equal(user.device('again', 'g', A), cdevSeries ? 'ENODEV' : 'OK');
    if (!cdevSeries) user.close('again');
    user.close('d');
    await bench.pass(1000);
    assert.equal(await bench.driver(A), cdevSeries ? 'e1000' : 'ENOENT');
  });

  test(`14 hot-added into an owned group, a function stays without its driver (${profile})`, async () => {
    const bench = Bench.of(profile);
    await bench.toVfio('0000:02:01.0');
    const user = new User(bench);
    user.take(4, '0000:02:01.0');
    const spec = hotPlugged('e1000', { bus: 'pb0', addr: '2.0' });
    assert.ok(spec !== null);
    void bench.model.control.hotAdd(spec);
    await bench.pass(1000);
    assert.equal(await bench.link(`${device('0000:02:02.0')}/iommu_group`), '4');
    assert.equal(await bench.driver('0000:02:02.0'), 'ENOENT');
    const told = bench.model.machine
      .logLines()
      .some((line) => line.includes('device attach failed (-16)'));
    assert.equal(told, profile !== '7.2');
    for (const name of ['d', 'g', 'c']) user.close(name);
    await bench.pass(1000);
    assert.equal(await bench.driver('0000:02:02.0'), 'ENOENT');
    assert.equal(await bench.probe('0000:02:02.0'), 'OK');
    assert.equal(await bench.driver('0000:02:02.0'), 'e1000');
  });

  test(`18 nvme leaves its VFs, and then only nvme can take them away (${profile})`, async () => {
    const bench = Bench.of(profile);
    await bench.write(`${device(PF)}/sriov_drivers_autoprobe`, '0');
    assert.equal(await bench.write(`${device(PF)}/sriov_numvfs`, '2'), 'OK');
    assert.equal(await bench.unbind('nvme', PF), 'OK');
    assert.equal(await bench.link(`${device(PF)}/virtfn1`), '0000:04:00.2');
    await bench.override(PF, 'vfio-pci');
    assert.equal(await bench.bind('vfio-pci', PF), 'EBUSY');
    assert.equal(await bench.write(`${device(PF)}/sriov_numvfs`, '0'), 'ENOENT');
    await bench.override(PF, '\n');
    assert.equal(await bench.bind('nvme', PF), 'OK');
    assert.equal(await bench.write(`${device(PF)}/sriov_numvfs`, '0'), 'OK');
    assert.equal(await bench.link(`${device(PF)}/virtfn0`), 'ENOENT');
  });

  test(`19 one VF in use stops SR-IOV, rescans and removals of the whole machine (${profile})`, async () => {
    const bench = Bench.of(profile);
    await bench.write(`${device(PF)}/sriov_drivers_autoprobe`, '0');
    await bench.write(`${device(PF)}/sriov_numvfs`, '2');
    await bench.toVfio(VF);
    const user = new User(bench);
    user.take(await bench.link(`${device(VF)}/iommu_group`), VF);
    const disable = await bench.startWrite(`${device(PF)}/sriov_numvfs`, '0');
    const rescan = await bench.startWrite('/sys/bus/pci/rescan', '1');
    const remove = await bench.startWrite(`${device('0000:02:01.0')}/remove`, '1');
    assert.deepEqual([disable.now, rescan.now, remove.now], [null, null, null]);
    assert.equal(await bench.read(`${device(PF)}/sriov_numvfs`), 'blocked');
    assert.equal(await bench.names(`${device('0000:02:01.0')}/remove`), 'ENOENT');
    user.close('d');
    await bench.pass(2000);
    assert.deepEqual(
      [said(disable, 'OK'), said(rescan, 'OK'), said(remove, 'OK')],
      ['OK', 'OK', 'OK'],
    );
    assert.equal(await bench.driver('0000:02:01.0'), 'ENOENT');
  });

  test(`20 with sriov_drivers_autoprobe off only an override gets a VF probed (${profile})`, async () => {
    const bench = Bench.of(profile);
    await bench.write(`${device(PF)}/sriov_drivers_autoprobe`, '0');
    await bench.write(`${device(PF)}/sriov_numvfs`, '1');
    assert.equal(await bench.probe(VF), 'OK');
    assert.equal(await bench.driver(VF), 'ENOENT');
    await bench.toVfio(VF);
  });

  test(`21 a group number goes to whoever comes next, and an override does not come back (${profile})`, async () => {
    const bench = Bench.of(profile);
    await bench.override('0000:00:06.0', 'vfio-pci');
    assert.equal(await bench.write(`${device('0000:00:06.0')}/remove`, '1'), 'OK');
    await bench.write(`${device(PF)}/sriov_drivers_autoprobe`, '0');
    await bench.write(`${device(PF)}/sriov_numvfs`, '1');
    assert.equal(await bench.link(`${device(VF)}/iommu_group`), '2');
    assert.equal(await bench.write('/sys/bus/pci/rescan', '1'), 'OK');
    assert.equal(await bench.link(`${device('0000:00:06.0')}/iommu_group`), '9');
    assert.equal(await bench.read(`${device('0000:00:06.0')}/driver_override`), '(null)');
    assert.equal(await bench.driver('0000:00:06.0'), 'nvme');
  });

  test(`25 the kernel unbinds a mounted disk without a word (${profile})`, async () => {
    const bench = Bench.of(profile);
    const { host } = bench.model.machine;
    const mount = {
      namespace: 'pod',
      source: 'nvme0n1',
      devno: '259:0',
      target: '/data',
      fsType: 'ext4',
    };
    host.mounts = [...host.mounts, mount];
    assert.equal(await bench.unbind('nvme', '0000:00:06.0'), 'OK');
    assert.equal(bench.model.machine.children.get('block', 'nvme0n1'), undefined);
    assert.deepEqual(host.mounts, [mount]);
    assert.equal(await bench.bind('nvme', '0000:00:06.0'), 'OK');
    await bench.pass(500);
    assert.ok(bench.model.machine.children.get('block', 'nvme0n2') !== undefined);
  });

  test(`a process that is killed lets go of what it had open (${profile})`, async () => {
    const bench = Bench.of(profile);
    await bench.toVfio(NIC);
    const user = new User(bench);
    user.take(3, NIC);
    const unbind = await bench.startWrite('/sys/bus/pci/drivers/vfio-pci/unbind', NIC);
    assert.equal(unbind.now, null);
    bench.model.control.kill(user.pid, 9);
    await bench.pass(100);
    assert.equal(said(unbind, 'OK'), 'OK');
    assert.deepEqual(bench.model.openUses(), []);
  });

  test(`rmmod is refused only while a device file is open (${profile})`, async () => {
    const bench = Bench.of(profile);
    await bench.toVfio(NIC);
    const user = new User(bench);
    user.take(3, NIC);
    assert.equal(await bench.model.control.unloadModule('vfio-pci'), 'EAGAIN');
    assert.equal(await bench.read('/sys/module/vfio_pci/refcnt'), '1');
    user.close('d');
    let gone: string | null = 'running';
    void bench.model.control.unloadModule('vfio-pci').then((result) => {
      gone = result;
    });
    await bench.pass(500);
    assert.equal(gone, null);
    assert.equal(user.status('g'), 'ENODEV');
    assert.equal(await bench.names('/sys/bus/pci/drivers/vfio-pci'), 'ENOENT');
  });
}
