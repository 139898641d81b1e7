import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as host from '../../../src/kernel/model/surroundings/host-operations.ts';
import { bundledTopologyNames } from '../../../src/kernel/model/topology-bundled.ts';
import { machine } from './support.ts';

test('interrupt chips are named IR- exactly where interrupts are remapped', async () => {
  const remapped = async (name: string): Promise<boolean> =>
    /^\s*\d+:.*\bIR-/m.test(await machine(name).text('/proc/interrupts'));
  assert.equal(await remapped('gpu-workstation'), true);
  assert.equal(await remapped('no-interrupt-remapping'), false);
  assert.equal(await remapped('no-iommu'), false);
});

test('symbols of ownership accounting are there exactly on kernels that have it', async () => {
  const claim = /^[0-9a-f]{16} T iommu_group_claim_dma_owner$/m;
  for (const profile of ['6.1', '6.12', '7.2'] as const) {
    assert.match(await machine('transcripts', profile).text('/proc/kallsyms'), claim, profile);
  }
  const legacy = await machine('transcripts', 'legacy').text('/proc/kallsyms');
  assert.doesNotMatch(legacy, /dma_owner/);
  assert.match(legacy, / T pci_bus_type$/m);
});

test('the kernel tells its release, command line and boot id', async () => {
  const { text } = machine('gpu-workstation');
  assert.equal(await text('/proc/sys/kernel/osrelease'), '6.12.48+deb13-amd64\n');
  assert.match(await text('/proc/version'), /^Linux version 6\.12\.48\+deb13-amd64 \(/);
  assert.match(await text('/proc/cmdline'), /iommu=pt\n$/);
  assert.match(await text('/proc/sys/kernel/random/boot_id'), /^[0-9a-f-]{36}\n$/);
});

test('consoles, frame buffers and virtual consoles tell who shows the console', async () => {
  const { text, write } = machine('gpu-workstation');
  assert.equal(await text('/proc/consoles'), 'tty0                 -WU (EC  p  )    4:1\n');
  assert.equal(await text('/sys/class/tty/console/active'), 'tty0\n');
  assert.equal(await text('/proc/fb'), '0 amdgpudrmfb\n');
  assert.equal(await text('/sys/class/vtconsole/vtcon1/name'), '(M) frame buffer device\n');
  assert.equal(await text('/sys/class/vtconsole/vtcon1/bind'), '1\n');
  assert.equal(await text('/sys/class/drm/card0-HDMI-A-2/status'), 'connected\n');
  assert.equal(await write('/sys/bus/pci/drivers/amdgpu/unbind', '0000:10:00.0'), 'value');
  assert.equal(await text('/proc/fb'), '');
  assert.equal(await text('/sys/class/vtconsole/vtcon1/bind'), '0\n');
  assert.equal(
    await machine('transcripts').text('/proc/consoles'),
    'ttyS0                -W- (EC  p a)    4:64\n',
  );
});

test('keyboard and mouse are told by the classes of their interfaces', async () => {
  const { text, names } = machine('gpu-workstation');
  const usb = '/sys/bus/usb/devices';
  assert.deepEqual(await names(usb), ['1-1', '1-1:1.0', '1-1:1.1', '1-2', '1-2:1.0', 'usb1']);
  const triple = async (name: string): Promise<string> =>
    `${await text(`${usb}/${name}/bInterfaceClass`)}${await text(`${usb}/${name}/bInterfaceProtocol`)}`;
  assert.equal(await triple('1-1:1.0'), '03\n01\n');
  assert.equal(await triple('1-2:1.0'), '03\n02\n');
  assert.equal(await text(`${usb}/1-1/product`), 'USB Keyboard\n');
});

test('a playing stream names its owner; a closed one says so', async () => {
  const { text, model } = machine('gpu-workstation');
  const status = '/proc/asound/card0/pcm3p/sub0/status';
  assert.match(await text(status), /^state: RUNNING\nowner_pid {3}: 1411\n/);
  assert.equal(await text('/proc/asound/card0/pcm0p/sub0/status'), 'closed\n');
  assert.equal(host.playSound(model.machine, 0, []), null);
  assert.equal(await text(status), 'ENOENT');
  assert.equal(host.playSound(model.machine, 9, ['pcm0p']), 'ENODEV');
  assert.equal(host.playSound(model.machine, 1, ['pcm0p']), null);
  assert.match(await text('/proc/asound/card1/pcm0p/sub0/status'), /^state: RUNNING\n/);
});

test('a process shows its name, its files and its graphics clients', async () => {
  const { text, names, link, model } = machine('gpu-workstation');
  assert.equal(await text('/proc/1203/comm'), 'Xorg\n');
  assert.deepEqual(await names('/proc/1203/fd'), ['0']);
  assert.equal(await link('/proc/1203/fd/0'), '/dev/dri/card0');
  assert.match(await text('/proc/1203/fdinfo/0'), /^drm-pdev:\t0000:10:00\.0$/m);
  assert.match(await text('/proc/1203/stat'), /^1203 \(Xorg\) S 1 /);
  assert.equal(await link('/proc/1203/root'), '/');
  assert.equal(host.showOpenFile(model.machine, 1203, '/dev/nvidia0'), null);
  assert.equal(await link('/proc/1203/fd/1'), '/dev/nvidia0');
  assert.equal(host.closeOpenFile(model.machine, 1203, '/dev/nvidia0'), null);
  assert.equal(host.closeOpenFile(model.machine, 1203, '/dev/nvidia0'), 'EBADF');
  assert.equal(host.showOpenFile(model.machine, 77, '/dev/x'), 'ESRCH');
  model.control.kill(1203, 9);
  assert.equal(await text('/proc/1203/comm'), 'ENOENT');
});

test('a process is started under its own number, once', async () => {
  const { link, model } = machine('transcripts');
  const spec = {
    ...{ pid: 4242, comm: 'mysqld', files: ['/dev/nvme0n1'], fdinfo: {} },
    ...{ mountNamespace: 'pod', netNamespace: 'pod' },
  };
  assert.equal(host.startProcess(model.machine, spec), null);
  assert.equal(host.startProcess(model.machine, spec), 'EEXIST');
  assert.equal(await link('/proc/4242/fd/0'), '/dev/nvme0n1');
  assert.notEqual(await link('/proc/4242/ns/net'), await link('/proc/1/ns/net'));
});

test('a VFIO user shows in fdinfo which device it has, on kernels that tell', async () => {
  for (const [profile, tells] of [
    ['6.12', false],
    ['7.2', true],
  ] as const) {
    const { write, text, model } = machine('transcripts', profile);
    const nic = '0000:01:00.0';
    await write(`/sys/bus/pci/devices/${nic}/driver_override`, 'vfio-pci');
    await write('/sys/bus/pci/drivers/e1000e/unbind', nic);
    await write('/sys/bus/pci/drivers_probe', nic);
    const pid = model.control.spawnProcess('qemu');
    const fds = [
      model.control.openFile(pid, '/dev/vfio/vfio'),
      model.control.openFile(pid, '/dev/vfio/3'),
      model.control.setContainer(pid, 1, 0),
      model.control.setIommu(pid, 0, 3),
      model.control.getDeviceFd(pid, 1, nic),
    ];
    assert.ok(fds.every((fd) => fd.ok));
    const info = await text(`/proc/${pid}/fdinfo/2`);
    assert.equal(/^vfio-device-syspath: \/sys\/devices\/.*0000:01:00\.0$/m.test(info), tells);
  }
});

test('watchdogs, TPMs, DMA channels, serial lines and NVIDIA cards show their state', async () => {
  const { text, model } = machine(`
topology: 1
consoles: [tty0, ttyS1]
devices:
  0000:00:02.0:
    id: 8086:0001
    class: 070002
    driver: serial
    serial: [{name: ttyS1, console: true}, {name: ttyS2}]
    watchdog: {name: watchdog0, state: active}
    tpm: tpm0
    dma: [{name: dma0chan0, inUse: true}, {name: dma0chan1}]
  0000:00:03.0: {id: 10de:2235, class: 030200, driver: nvidia}
`);
  assert.equal(await text('/sys/class/watchdog/watchdog0/state'), 'active\n');
  assert.equal(host.setWatchdog(model.machine, 'watchdog0', 'inactive'), null);
  assert.equal(await text('/sys/class/watchdog/watchdog0/state'), 'inactive\n');
  assert.equal(await text('/sys/class/dma/dma0chan0/in_use'), '1\n');
  assert.equal(await text('/sys/class/dma/dma0chan1/in_use'), '0\n');
  assert.equal(await text('/sys/class/tty/ttyS1/console'), 'Y\n');
  assert.equal(await text('/sys/class/tty/ttyS2/console'), 'N\n');
  assert.equal(await text('/sys/class/tpm/tpm0/tpm_version_major'), '2\n');
  assert.match(
    await text('/proc/driver/nvidia/gpus/0000:00:03.0/information'),
    /Bus Location: \t 0000:00:03\.0/,
  );
  assert.equal(
    await text('/proc/consoles'),
    'ttyS1                -W- (EC  p a)    4:65\ntty0                 -WU (E   p  )    4:1\n',
  );
});

for (const name of bundledTopologyNames) {
  test(`every link and folder of ${name} below /sys/class and /proc can be looked at`, async () => {
    const { model } = machine(name);
    let looked = 0;
    for (const folder of ['/sys/class', '/proc']) {
      const top = await model.list(folder);
      assert.ok(top.kind === 'value');
      for (const entry of top.value.slice(0, 400)) {
        const inside = await model.list(`${folder}/${entry}`);
        if (inside.kind !== 'value') continue;
        for (const child of inside.value.slice(0, 50)) {
          const path = `${folder}/${entry}/${child}`;
          if (path.includes('/ns/') || path.endsWith('/root')) continue;
          assert.deepEqual(await model.exists(path), { kind: 'value', value: true }, path);
          looked += 1;
        }
      }
    }
    assert.ok(looked > 20, String(looked));
  });
}
