import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseAddresses6,
  parseLocalAddresses4,
  parseRoutes4,
  parseRoutes6,
} from '../../src/host/survey/network.ts';

test('texts of a real machine are parsed', () => {
  const route = parseRoutes4(
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       \neth0\t00000000\t0103A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0                                                                           \neth0\t0003A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0                                                                            \n',
  );
  assert.deepEqual(
    route.known &&
      route.value.map(({ iface, isDefault, direct, network }) => [
        iface,
        isDefault,
        direct,
        network?.base,
      ]),
    [
      ['eth0', true, false, 0],
      ['eth0', false, true, 0xc0a80300],
    ],
  );
  const route6 = parseRoutes6(
    'fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n',
  );
  assert.deepEqual(route6.known && route6.value.map(({ iface, isDefault }) => [iface, isDefault]), [
    ['eth0', false],
  ]);
  const trie = parseLocalAddresses4(
    'Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- 192.168.3.0/24 2 0 2\n        +-- 192.168.3.0/28 2 0 2\n           |-- 192.168.3.0\n              /24 link UNICAST\n           |-- 192.168.3.15\n              /32 host LOCAL\n        |-- 192.168.3.255\n           /32 link BROADCAST\nLocal:\n  +-- 127.0.0.0/8 2 0 2\n           |-- 127.0.0.0\n              /8 host LOCAL\n           |-- 127.0.0.1\n              /32 host LOCAL\n',
  );
  assert.deepEqual(trie, { known: true, value: [0xc0a8030f] });
  for (const [hex, address] of [
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['20010db8000000010000000000000000', '2001:db8:0:1::'],
    ['00000000000000000000000000000002', '::2'],
    ['fd000000000000000000000000000002', 'fd00::2'],
    ['20010db8000000000001000000000000', '2001:db8:0:0:1::'],
    ['20010db8000100020003000400050006', '2001:db8:1:2:3:4:5:6'],
    ['20010db8000000010002000000030004', '2001:db8:0:1:2:0:3:4'],
  ] as const) {
    const parsed = parseAddresses6(
      `${hex} 02 40 00 80     eth0\n00000000000000000000000000000001 01 80 10 80       lo\n`,
    );
    assert.deepEqual(parsed.known && parsed.value.map((each) => each.address), [address]);
  }
});

test('a host that never had a route has none: Linux prints not even the heading then', () => {
  assert.deepEqual(parseRoutes4(''), { known: true, value: [] });
});

test('a table of routes with another heading is not known', () => {
  assert.equal(parseRoutes4('Interface Destination\n').known, false);
});
