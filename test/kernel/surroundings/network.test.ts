import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as host from '../../../src/kernel/model/surroundings/host-operations.ts';
import { prefixOf, withHostBits } from '../../../src/kernel/model/surroundings/net-names.ts';
import { machine } from './support.ts';

test('the IPv4 table has lines of 127 characters, addresses in host byte order, and flags', async () => {
  const { text } = machine('gpu-workstation');
  const lines = (await text('/proc/1/net/route')).split('\n');
  assert.deepEqual([...new Set(lines.slice(0, -1).map((line) => line.length))], [127]);
  const fields = (lines[1] ?? '').trimEnd().split('\t');
  assert.deepEqual(fields, [
    'enp3s0',
    '00000000',
    '010200C0',
    '0003',
    '0',
    '0',
    '0',
    '00000000',
    '0',
    '0',
    '0',
  ]);
  assert.deepEqual((lines[2] ?? '').split('\t').slice(0, 4), [
    'enp3s0',
    '000200C0',
    '00000000',
    '0001',
  ]);
});

test('the IPv6 table has the default route, local entries, and the reject entry that is no route', async () => {
  const { text } = machine('sriov-nic-server');
  const lines = (await text('/proc/1/net/ipv6_route')).trimEnd().split('\n');
  assert.equal(
    lines[0],
    '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eno1',
  );
  assert.equal(
    lines.at(-1),
    '00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo',
  );
  assert.match(
    await text('/proc/1/net/if_inet6'),
    /^20010db8000700000000000000000012 \w\w 40 00 80 {5}eno1$/m,
  );
  assert.match(
    await text('/proc/1/net/if_inet6'),
    /^00000000000000000000000000000001 01 80 10 80 {7}lo$/m,
  );
});

test('fib_trie tells the addresses of the host as local leaves', async () => {
  const { text } = machine('sriov-nic-server');
  const trie = await text('/proc/1/net/fib_trie');
  assert.match(trie, /^Main:\n {2}\+-- 0\.0\.0\.0\/0 3 0 5\n/);
  assert.match(trie, /^ {5}\|-- 198\.51\.100\.12\n {8}\/32 host LOCAL$/m);
  assert.match(trie, /^ {5}\|-- 198\.51\.100\.255\n {8}\/32 link BROADCAST$/m);
  assert.doesNotMatch(trie, /10\.1\.0\.9/);
  // In order of address, as a trie is walked.
  const local = trie.slice(trie.indexOf('Local:'));
  const leaves = [...local.matchAll(/\|-- ([\d.]+)/g)].map(
    ([, text]) => prefixOf(text ?? '').bytes,
  );
  const numbers = leaves.map((bytes) => bytes.reduce((sum, byte) => sum * 256 + byte, 0));
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
});

test('an interface in another namespace is in neither /sys nor the host tables, and its function has an empty net/', async () => {
  const { names, text } = machine('sriov-nic-server');
  assert.ok(!(await names('/sys/class/net')).includes('ens1f0v6'));
  assert.deepEqual(await names('/sys/bus/pci/devices/0000:17:01.6/net'), []);
  assert.doesNotMatch(await text('/proc/1/net/dev'), /ens1f0v6/);
  assert.match(await text('/proc/4711/net/dev'), /^ens1f0v6: /m);
  assert.match(await text('/proc/4711/net/fib_trie'), /\|-- 10\.1\.0\.9\n/);
});

test('an interface that is down answers EINVAL for its carrier, as the kernel does', async () => {
  const { text, model } = machine('transcripts');
  const eth0 = '/sys/class/net/eth0';
  assert.equal(await text(`${eth0}/carrier`), 'EINVAL');
  assert.equal(await text(`${eth0}/flags`), '0x1002\n');
  assert.equal(await text(`${eth0}/operstate`), 'down\n');
  assert.equal(host.changeLink(model.machine, 'eth0', { up: true }), null);
  assert.equal(await text(`${eth0}/carrier`), '0\n');
  assert.equal(host.changeLink(model.machine, 'eth0', { carrier: true }), null);
  assert.deepEqual(
    [await text(`${eth0}/carrier`), await text(`${eth0}/operstate`)],
    ['1\n', 'up\n'],
  );
  assert.equal(await text('/sys/class/net/lo/operstate'), 'unknown\n');
  assert.equal(await text('/sys/class/net/lo/ifindex'), '1\n');
});

test('a port of a bond tells its master, and the bond its ports', async () => {
  const { names, text, link } = machine('nvme-lvm');
  assert.equal(await link('/sys/class/net/eno1/master'), '../../../../../virtual/net/bond0');
  assert.ok((await names('/sys/class/net/eno1')).includes('upper_bond0'));
  assert.ok((await names('/sys/class/net/bond0')).includes('lower_eno1'));
  assert.equal(await text('/sys/class/net/bond0/bonding/slaves'), 'eno1\n');
  assert.equal(await text('/sys/class/net/eno1/flags'), '0x1803\n');
  assert.equal(await text('/sys/class/net/bond0/flags'), '0x1403\n');
  assert.match(await text('/proc/net/bonding/bond0'), /^Slave Interface: eno1$/m);
});

test('a VLAN on top is told on both interfaces', async () => {
  const { names, model } = machine(`
topology: 1
devices: {0000:00:02.0: {id: 8086:0001, class: 020000, driver: igb, net: [{name: eno1, up: true, uppers: [eno1.7]}]}}
virtualNets: [{name: eno1.7, type: vlan, up: true}]
`);
  assert.ok((await names('/sys/class/net/eno1')).includes('upper_eno1.7'));
  assert.ok((await names('/sys/class/net/eno1.7')).includes('lower_eno1'));
  assert.equal(host.changeLink(model.machine, 'eno1', { master: 'br0' }), 'ENOENT');
  assert.equal(host.changeLink(model.machine, 'eno9', { up: true }), 'ENODEV');
});

test('moving an interface away takes its addresses and tells watchers that it is gone', async () => {
  const { text, names, model } = machine('gpu-workstation');
  const events = model.machine.uevents.subscribe(100, () => undefined);
  assert.equal(host.changeLink(model.machine, 'enp3s0', { namespace: 'pod-x' }), null);
  assert.ok(!(await names('/sys/class/net')).includes('enp3s0'));
  assert.deepEqual(await names('/sys/bus/pci/devices/0000:03:00.0/net'), []);
  assert.doesNotMatch(await text('/proc/1/net/fib_trie'), /192\.0\.2\.21/);
  assert.equal(host.changeLink(model.machine, 'enp3s0', { namespace: null }), null);
  assert.deepEqual(
    events.take().map(({ action }) => action),
    ['remove', 'add'],
  );
  assert.equal(await text('/sys/class/net/enp3s0/flags'), '0x1002\n');
});

test('routes come and go', async () => {
  const { text, model } = machine('gpu-workstation');
  const route = { destination: '203.0.113.0/24', gateway: null, iface: 'enp3s0' };
  assert.equal(host.addRoute(model.machine, route), null);
  assert.equal(host.addRoute(model.machine, route), 'EEXIST');
  assert.match(await text('/proc/net/route'), /^enp3s0\t007100CB\t/m);
  assert.equal(host.removeRoute(model.machine, '203.0.113.0/24', 'enp3s0'), null);
  assert.equal(host.removeRoute(model.machine, '203.0.113.0/24', 'enp3s0'), 'ESRCH');
  assert.equal(host.addRoute(model.machine, { ...route, iface: 'nope' }), 'ENODEV');
});

test('the network and the broadcast address of any prefix contain it between them', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, length) => {
      const number = (bytes: readonly number[]): number =>
        bytes.reduce((sum, byte) => sum * 256 + byte, 0);
      const prefix = prefixOf(`${address}/${length}`);
      const [low, high] = [withHostBits(prefix, 0), withHostBits(prefix, 1)].map(number);
      const own = number(prefix.bytes);
      assert.ok(low !== undefined && high !== undefined && low <= own && own <= high);
      assert.equal(high - low, 2 ** (32 - length) - 1);
    }),
  );
});

test('IPv6 addresses are read in every spelling', () => {
  const hex = (text: string): string =>
    prefixOf(text)
      .bytes.map((byte) => byte.toString(16).padStart(2, '0'))
      .join('');
  assert.equal(hex('::1/128'), '00000000000000000000000000000001');
  assert.equal(hex('::/0'), '00000000000000000000000000000000');
  assert.equal(hex('2001:db8::7:8'), '20010db8000000000000000000070008');
  assert.equal(hex('1:2:3:4:5:6:7:8'), '00010002000300040005000600070008');
});
