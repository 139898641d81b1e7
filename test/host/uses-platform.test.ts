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
const sysDevice = `/sys/bus/pci/devices/${target}`;
const qat: Partial<FunctionFixture> = { classCode: '0b4000', driver: '4xxx' };
const ccp: Partial<FunctionFixture> = { classCode: '108000', driver: 'ccp' };
const watchdog = (files: Tree): Tree => ({
  [`${device}/watchdog/watchdog0`]: files,
  'sys/class/watchdog/watchdog0': link(`${place}/watchdog/watchdog0`),
});
const channel = (inUse: string): Tree => ({
  [`${device}/dma/dma0chan0/in_use`]: inUse,
  'sys/class/dma/dma0chan0': link(`${place}/dma/dma0chan0`),
});
const algorithm = (module: string, count: number): Tree => ({
  'proc/crypto': `name         : cbc(aes)\ndriver       : some-cbc\nmodule       : ${module}\nrefcnt       : ${count}\n\nname : x\ndriver : y\nmodule : kernel\nrefcnt : 9\n\n`,
});
const peer = (published: string, available: string): Tree => ({
  [`${device}/p2pmem`]: { published, size: '1048576\n', available },
});

const cases: readonly (readonly [
  sentence: string,
  tree: Tree,
  uses: readonly string[],
  fixture?: Partial<FunctionFixture>,
])[] = [
  ['a plain function is no use', {}, []],
  ['a TPM', { 'sys/class/tpm/tpm0': link(`${place}/tpm/tpm0`) }, ['TpmInUse tpm0']],
  [
    "another device's TPM",
    { 'sys/class/tpm/tpm0': link('../../devices/platform/MSFT0101:00/tpm/tpm0') },
    [],
  ],
  [
    'an IPMI interface',
    { 'sys/class/ipmi/ipmi0': link(`${place}/ipmi/ipmi0`) },
    ['IpmiInUse ipmi0'],
  ],
  ['a watchdog that runs', watchdog({ state: 'active\n' }), ['WatchdogActive watchdog0']],
  ['a watchdog that rests', watchdog({ state: 'inactive\n' }), []],
  [
    'a watchdog without a state, held open',
    { ...watchdog({}), ...processTree(5, { comm: 'systemd', files: ['/dev/watchdog'] }) },
    ['WatchdogActive watchdog0 open by pid 5 (systemd)'],
  ],
  ['the host bridge', {}, ['SystemBus host bridge'], { classCode: '060000' }],
  ['an ISA bridge', {}, ['SystemBus ISA bridge'], { classCode: '060100' }],
  ['an SMBus controller', {}, ['SystemBus SMBus controller'], { classCode: '0c0500' }],
  ['a DMA channel in use', channel('1\n'), ['DmaEngineInUse dma0chan0']],
  ['a DMA channel that is free', channel('0\n'), []],
  [
    'a queue of an accelerator with clients',
    {
      [`${device}/dsa0/wq0.1/clients`]: '3\n',
      'sys/bus/dsa/devices': {
        'wq0.1': link(`${busPlace}/dsa0/wq0.1`),
        dsa0: link(`${busPlace}/dsa0`),
      },
    },
    ['DmaEngineInUse wq0.1'],
  ],
  ['crypto algorithms in use', algorithm('intel_qat', 3), ['CryptoInUse some-cbc'], qat],
  ['crypto algorithms that are only registered', algorithm('intel_qat', 1), [], qat],
  ['crypto algorithms of another module', algorithm('aesni_intel', 7), [], qat],
  [
    'memory encryption of guests',
    { 'sys/module/kvm_amd/parameters/sev': 'Y\n' },
    ['CryptoInUse memory encryption of guests'],
    ccp,
  ],
  ['memory encryption that is off', { 'sys/module/kvm_amd/parameters/sev': 'N\n' }, [], ccp],
  [
    'a program with the security processor open',
    processTree(5, { comm: 'qemu', files: ['/dev/sev'] }),
    ['CryptoInUse /dev/sev open by pid 5 (qemu)'],
    ccp,
  ],
  [
    'peer memory that is published and taken',
    peer('1\n', '4096\n'),
    ['PeerMemoryPublished peer memory'],
  ],
  ['peer memory that is only published', peer('1\n', '1048576\n'), []],
  ['peer memory that is not published', peer('0\n', '4096\n'), []],
  [
    'virtual functions',
    {
      [`${device}/virtfn0`]: link('../0000:02:10.0'),
      [`${device}/virtfn1`]: link('../0000:02:10.2'),
    },
    ['VirtualFunctionsExist 2 virtual functions'],
  ],
  [
    'a mediated device',
    { 'sys/bus/mdev/devices/83b8f4f2': link(`${busPlace}/83b8f4f2`) },
    ['MediatedDevices 83b8f4f2'],
  ],
  [
    'a vDPA device',
    { 'sys/bus/vdpa/devices/vdpa0': link(`${busPlace}/vdpa0`) },
    ['VdpaDevices vdpa0'],
  ],
  [
    'a function on a UIO driver',
    { 'sys/class/uio/uio0': link(`${place}/uio/uio0`) },
    ['ForeignUioUser uio0'],
  ],
  [
    'a program on a UIO device',
    {
      'sys/class/uio/uio0': link(`${place}/uio/uio0`),
      ...processTree(5, { comm: 'dpdk', files: ['/dev/uio0'] }),
    },
    ['ForeignUioUser uio0 open by pid 5 (dpdk)'],
  ],
  [
    'a program that maps its memory through sysfs',
    processTree(5, {
      comm: 'dpdk',
      files: [`/${device}/resource0`, '/sys/devices/pci0000:00/0000:09:00.0/resource0'],
    }),
    ['ForeignUioUser resource0 open by pid 5 (dpdk)'],
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
  ['the TPMs', { 'sys/class/tpm': broken }, '/sys/class/tpm'],
  ['the IPMI interfaces', { 'sys/class/ipmi': broken }, '/sys/class/ipmi'],
  ['the watchdogs', { 'sys/class/watchdog': broken }, '/sys/class/watchdog'],
  ['the state of a watchdog', watchdog({ state: {} }), '/sys/class/watchdog/watchdog0/state'],
  ['a watchdog without state or opener', watchdog({}), '/sys/class/watchdog/watchdog0/state'],
  ['the DMA channels', { 'sys/class/dma': broken }, '/sys/class/dma'],
  [
    'the use of a DMA channel',
    { ...channel('1\n'), [`${device}/dma/dma0chan0/in_use`]: {} },
    '/sys/class/dma/dma0chan0/in_use',
  ],
  ['the accelerator queues', { 'sys/bus/dsa/devices': broken }, '/sys/bus/dsa/devices'],
  ['the crypto algorithms', { 'proc/crypto': {} }, '/proc/crypto', qat],
  [
    'memory encryption',
    { 'sys/module/kvm_amd/parameters/sev': {} },
    '/sys/module/kvm_amd/parameters/sev',
    ccp,
  ],
  [
    'peer memory',
    { [`${device}/p2pmem`]: { published: '1\n', size: '1\n' } },
    `${sysDevice}/p2pmem/available`,
  ],
  ['virtual functions', { [`${device}/virtfn0`]: '' }, `${sysDevice}/virtfn0`],
  ['the mediated devices', { 'sys/bus/mdev/devices': broken }, '/sys/bus/mdev/devices'],
  ['the vDPA devices', { 'sys/bus/vdpa/devices': broken }, '/sys/bus/vdpa/devices'],
  ['the UIO devices', { 'sys/class/uio': broken }, '/sys/class/uio'],
];

for (const [what, tree, path, fixture] of unreadable) {
  test(`${what} cannot be read: an unknown use that names ${path}`, async (t) => {
    assert.ok(unknownPaths(await lookWith(t, tree, fixture)).includes(path));
  });
}
