import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FunctionFixture, link, type Tree } from './machine.ts';
import {
  broken,
  busPlace,
  place,
  processTree,
  said,
  target,
  unknownPaths,
  useTests,
} from './using.ts';

const lookWith = useTests();
const device = `sys/devices/pci0000:00/${target}`;
const gpu: Partial<FunctionFixture> = { classCode: '030000', driver: 'amdgpu' };
const nvidia: Partial<FunctionFixture> = { classCode: '030200', driver: 'nvidia' };

const framebuffer: Tree = {
  'sys/class/graphics/fb0': link(`${place}/graphics/fb0`),
  'sys/class/vtconsole/vtcon0': { name: '(S) dummy device\n', bind: '0\n' },
};
const console = (bind: string): Tree => ({
  'sys/class/vtconsole/vtcon1': { name: '(M) frame buffer device\n', bind },
});
const resource = {
  resource:
    '0x00000000c0000000 0x00000000cfffffff 0x0000000000042208\n0x0000000000000000 0x0000000000000000 0x0000000000000000\n',
};
const usbInterface = (
  name: string,
  [cls, sub, protocol]: readonly [string, string, string],
  more: Tree = {},
): Tree => ({
  [`${device}/usb1/1-2/${name}`]: {
    bInterfaceClass: `${cls}\n`,
    bInterfaceSubClass: `${sub}\n`,
    bInterfaceProtocol: `${protocol}\n`,
    ...more,
  },
  [`sys/bus/usb/devices/${name}`]: link(`${busPlace}/usb1/1-2/${name}`),
});
const stream = (status: string): Tree => ({
  'sys/class/sound/card0': link(`${place}/sound/card0`),
  'proc/asound/card0': { id: 'PCH\n', pcm0p: { info: '', sub0: { status } } },
});
const serial: Tree = { 'sys/class/tty/ttyS4': link(`${place}/tty/ttyS4`) };

const cases: readonly (readonly [
  sentence: string,
  tree: Tree,
  uses: readonly string[],
  fixture?: Partial<FunctionFixture>,
])[] = [
  [
    'a display with a monitor but nobody on it is no use',
    {
      [`${device}/boot_vga`]: '0\n',
      'sys/class/drm': {
        version: 'drm\n',
        card1: link(`${place}/drm/card1`),
        'card1-HDMI-A-1': link(`${place}/drm/card1/card1-HDMI-A-1`),
      },
    },
    [],
    gpu,
  ],
  ['the boot display', { [`${device}/boot_vga`]: '1\n' }, ['BootDisplay boot_vga is 1'], gpu],
  [
    'the console on a framebuffer',
    { ...framebuffer, ...console('1\n') },
    ['FramebufferConsole fb0'],
    gpu,
  ],
  ['a framebuffer without the console', { ...framebuffer, ...console('0\n') }, [], gpu],
  [
    "the firmware's framebuffer in its memory",
    {
      [device]: resource,
      'proc/iomem': '00000000-00000fff : Reserved\n  c0000000-c07effff : BOOTFB\n',
    },
    ['FramebufferConsole BOOTFB'],
    gpu,
  ],
  [
    "the firmware's framebuffer elsewhere",
    { [device]: resource, 'proc/iomem': 'e0000000-e07effff : efifb\n' },
    [],
    gpu,
  ],
  [
    'a program that draws',
    {
      'sys/class/drm/renderD128': link(`${place}/drm/renderD128`),
      ...processTree(70, { comm: 'Xorg', files: ['/dev/dri/renderD128'] }),
    },
    ['DisplayClient renderD128 open by pid 70 (Xorg)'],
    gpu,
  ],
  [
    'a program on another card',
    {
      'sys/class/drm/card1': link(`${place}/drm/card1`),
      ...processTree(70, { files: ['/dev/dri/card0'] }),
    },
    [],
    gpu,
  ],
  [
    'a program that computes on this NVIDIA GPU',
    {
      [`proc/driver/nvidia/gpus/${target}/information`]: 'Model: A40\nDevice Minor: \t 1\n',
      ...processTree(70, { comm: 'python', files: ['/dev/nvidia1'] }),
    },
    ['GpuComputeClient /dev/nvidia1 open by pid 70 (python)'],
    nvidia,
  ],
  [
    'one on an NVIDIA GPU that cannot be told counts for all',
    { ...processTree(70, { comm: 'python', files: ['/dev/nvidia0', '/dev/nvidiactl'] }) },
    [
      'GpuComputeClient /dev/nvidia0 open by pid 70 (python)',
      'GpuComputeClient /dev/nvidiactl open by pid 70 (python)',
    ],
    nvidia,
  ],
  [
    'a program on AMD compute',
    processTree(70, { comm: 'rocm', files: ['/dev/kfd'] }),
    ['GpuComputeClient /dev/kfd open by pid 70 (rocm)'],
    gpu,
  ],
  [
    'AMD compute is no matter of another driver',
    processTree(70, { files: ['/dev/kfd'] }),
    [],
    nvidia,
  ],
  [
    'a program on an accelerator',
    {
      'sys/class/accel/accel0': link(`${place}/accel/accel0`),
      ...processTree(70, { comm: 'npu', files: ['/dev/accel/accel0'] }),
    },
    ['GpuComputeClient accel0 open by pid 70 (npu)'],
  ],
  ['a silent sound card', stream('closed\n'), []],
  [
    'a sound card that plays',
    stream('state: RUNNING\nowner_pid   : 77\n'),
    ['SoundInUse card0 pcm0p'],
  ],
  [
    'a program with the mixer open',
    {
      'sys/class/sound/controlC0': link(`${place}/sound/card0/controlC0`),
      ...processTree(70, { comm: 'pipewire', files: ['/dev/snd/controlC0'] }),
    },
    ['SoundInUse controlC0 open by pid 70 (pipewire)'],
  ],
  [
    'an empty USB bus, a hub and a camera',
    {
      'sys/bus/usb/devices/usb1': link(`${busPlace}/usb1`),
      ...usbInterface('1-0:1.0', ['09', '00', '00']),
      ...usbInterface('1-2:1.0', ['0e', '01', '00']),
    },
    [],
  ],
  [
    'a keyboard, by its product name',
    {
      ...usbInterface('1-2:1.0', ['03', '01', '01']),
      [`${device}/usb1/1-2/product`]: 'KB216\n',
      'sys/bus/usb/devices/1-2': link(`${busPlace}/usb1/1-2`),
    },
    ['UsbInput KB216 (1-2:1.0)'],
  ],
  ['a mouse', usbInterface('1-2:1.0', ['03', '01', '02']), ['UsbInput USB 1-2:1.0']],
  ['a disk', usbInterface('1-2:1.0', ['08', '06', '50']), ['UsbStorage USB 1-2:1.0']],
  [
    'a network adapter by class',
    usbInterface('1-2:1.0', ['02', '06', '00']),
    ['UsbNetwork USB 1-2:1.0'],
  ],
  [
    'a network adapter of its own class, by its interface',
    usbInterface('1-2:1.0', ['ff', 'ff', '00'], { net: { eth1: {} } }),
    ['UsbNetwork USB 1-2:1.0'],
  ],
  ['a wireless adapter', usbInterface('1-2:1.0', ['e0', '01', '01']), ['UsbNetwork USB 1-2:1.0']],
  ['a modem', usbInterface('1-2:1.0', ['02', '02', '01']), ['UsbSerial USB 1-2:1.0']],
  [
    'a serial adapter, by its line',
    usbInterface('1-2:1.0', ['ff', '00', '00'], { ttyUSB0: {} }),
    ['UsbSerial USB 1-2:1.0'],
  ],
  [
    'a serial port that nobody uses',
    {
      ...serial,
      'proc/consoles': 'tty0                 -WU (EC  p  )    4:7\n',
      'sys/class/tty/console/active': 'tty0\n',
    },
    [],
  ],
  [
    'the system console, by /proc',
    { ...serial, 'proc/consoles': 'ttyS4                -W- (EC  p a)    4:68\n' },
    ['SystemConsole ttyS4'],
  ],
  [
    'the system console, by sysfs',
    {
      ...serial,
      'sys/class/tty/console': link('../../devices/virtual/tty/console'),
      'sys/devices/virtual/tty/console/active': 'tty0 ttyS4\n',
    },
    ['SystemConsole ttyS4'],
  ],
  [
    'a program on a serial port',
    { ...serial, ...processTree(70, { comm: 'gpsd', files: ['/dev/ttyS4'] }) },
    ['SerialPortOpen ttyS4 open by pid 70 (gpsd)'],
  ],
];

for (const [sentence, tree, uses, fixture] of cases) {
  test(sentence, async (t) => {
    assert.deepEqual(said(await lookWith(t, tree, fixture)), uses);
  });
}

const unreadable: readonly (readonly [
  what: string,
  tree: Tree,
  path: string,
  fixture?: Partial<FunctionFixture>,
])[] = [
  [
    'the boot display',
    { [`${device}/boot_vga`]: {} },
    `/sys/bus/pci/devices/${target}/boot_vga`,
    gpu,
  ],
  ['the framebuffers', { 'sys/class/graphics': broken }, '/sys/class/graphics', gpu],
  [
    'the console drivers',
    { ...framebuffer, 'sys/class/vtconsole': broken },
    '/sys/class/vtconsole',
    gpu,
  ],
  [
    'the console on a framebuffer',
    { ...framebuffer, 'sys/class/vtconsole/vtcon1': { name: 'x\n', bind: {} } },
    '/sys/class/vtconsole/vtcon1/bind',
    gpu,
  ],
  ['hidden memory addresses', { 'proc/iomem': '00000000-00000000 : efifb\n' }, '/proc/iomem', gpu],
  ['the memory map', { 'proc/iomem': broken }, '/proc/iomem', gpu],
  ['the cards', { 'sys/class/drm': broken }, '/sys/class/drm', gpu],
  ['the NVIDIA GPUs', { 'proc/driver/nvidia/gpus': broken }, '/proc/driver/nvidia/gpus', nvidia],
  ['the accelerators', { 'sys/class/accel': broken }, '/sys/class/accel'],
  ['the sound cards', { 'sys/class/sound': broken }, '/sys/class/sound'],
  [
    'the streams of a card',
    { ...stream('closed\n'), 'proc/asound/card0': '' },
    '/proc/asound/card0',
  ],
  [
    'the state of a stream',
    { ...stream('closed\n'), 'proc/asound/card0/pcm0p/sub0/status': {} },
    '/proc/asound/card0/pcm0p/sub0/status',
  ],
  ['the USB devices', { 'sys/bus/usb/devices': broken }, '/sys/bus/usb/devices'],
  [
    'the class of a USB interface',
    {
      ...usbInterface('1-2:1.0', ['03', '01', '01']),
      [`${device}/usb1/1-2/1-2:1.0/bInterfaceClass`]: {},
    },
    '/sys/bus/usb/devices/1-2:1.0/bInterfaceClass',
  ],
  ['the consoles', { ...serial, 'proc/consoles': {} }, '/proc/consoles'],
  ['the serial ports', { 'sys/class/tty': broken }, '/sys/class/tty'],
];

for (const [what, tree, path, fixture] of unreadable) {
  test(`${what} cannot be read: an unknown use that names ${path}`, async (t) => {
    assert.ok(unknownPaths(await lookWith(t, tree, fixture)).includes(path));
  });
}
