// Masks and parsers of the export, on domains larger than the bundled machines.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { placeFacts } from '../../src/cli/export/config-space.ts';
import {
  AddressMask,
  addressNumber,
  addressText,
  harmlessWords,
  MacMask,
  maskedUuid,
  maskTexts,
} from '../../src/cli/export/mask.ts';
import {
  addressesOfV4,
  addressesOfV6,
  routesOfV4,
  routesOfV6,
  withoutConnected,
} from '../../src/cli/export/network-texts.ts';

/** Leading bits that two addresses share. */
function common(a: bigint, b: bigint, bits: number): number {
  let shared = 0;
  while (shared < bits && (a ^ b) >> BigInt(bits - 1 - shared) === 0n) shared += 1;
  return shared;
}

for (const [version, bits] of [
  [4, 32],
  [6, 128],
] as const) {
  test(`masked IPv${version} addresses share exactly as many leading bits as before, and a mask of a mask changes nothing`, () => {
    const address = fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n });
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 12 }), (addresses) => {
        const mask = new AddressMask(version, addresses);
        const masked = addresses.map((each) => mask.mask(each));
        addresses.forEach((a, i) =>
          addresses.forEach((b, j) =>
            assert.equal(common(masked[i] ?? 0n, masked[j] ?? 0n, bits), common(a, b, bits)),
          ),
        );
        const again = new AddressMask(version, masked);
        assert.deepEqual(
          masked.map((each) => again.mask(each)),
          masked,
        );
      }),
      { numRuns: 60 },
    );
  });
}

test('addresses that have nothing to do with each other keep nothing of themselves', () => {
  const mask = maskTexts(['172.29.4.77/32']);
  assert.equal(mask('172.29.4.77/32'), '10.0.0.0/32');
  assert.equal(maskTexts(['2a02:8109:9a40::17'])('2a02:8109:9a40::17'), '2001:db8::');
});

test('an address stays in its network, its gateway too, and default routes stay default routes', () => {
  const texts = [
    '172.29.4.77/24',
    '172.29.4.0/24',
    '172.29.4.1',
    '0.0.0.0/0',
    '::/0',
    'fe80::aabb:ccff:fedd:1',
  ];
  const mask = maskTexts(texts);
  const [own = '', network = '', gateway = '', v4, v6, local] = texts.map(mask);
  for (const each of [own, network, gateway]) assert.match(each, /^10\.0\.0\./);
  assert.match(network, /^10\.0\.0\.0\/24$/);
  assert.deepEqual([v4, v6, local], ['0.0.0.0/0', '::/0', 'fe80::1']);
});

test('texts of IPv6 addresses are read in any form and written in the short one', () => {
  const rows = [
    ['2001:db8::1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['fe80:0:0:0:1:2:3:4', 'fe80::1:2:3:4'],
  ] as const;
  for (const [text, short] of rows) {
    const number = addressNumber(text);
    assert.equal(number === null ? null : addressText(6, number.value), short);
  }
  for (const text of ['', 'eth0', '1:2', '1::2::3:4:5:6:7:8:9', '256'])
    assert.equal(addressNumber(text), null);
});

test('the same MAC address has the same mask, different ones have different masks', () => {
  const macs = new MacMask();
  const first = macs.mask('b4:96:91:d5:aa:10');
  assert.notEqual(macs.mask('b4:96:91:d5:aa:11'), first);
  assert.equal(macs.mask('b4:96:91:d5:aa:10'), first);
  assert.match(first, /^02:/);
  assert.equal(macs.mask('00:00:00:00:00:00'), '00:00:00:00:00:00');
});

test('device-mapper uuids keep their maker, and nothing else', () => {
  assert.equal(maskedUuid('LVM-4f0SgJxVwL0Yb2TNhA8iQmD5pC9rKeZu', 3), 'LVM-3');
  assert.equal(maskedUuid('CRYPT-LUKS2-9b1d0a-luks-root', 1), 'CRYPT-LUKS2-1');
  assert.equal(maskedUuid('mpath-36000d31', 2), 'mpath-2');
});

test('only known words of the command line are harmless', () => {
  assert.equal(
    harmlessWords('iommu=pt iommu.strict=1 secret=1 ip=dhcp hugepagesz=1G'),
    'iommu=pt iommu.strict=1 hugepagesz=1G',
  );
  assert.equal(harmlessWords(''), '');
});

const routeTable = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eno1\t00000000\t016433C6\t0003\t0\t0\t100\t00000000\t0\t0\t0
eno1\t006433C6\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
broken line
`;
const trie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 198.51.100.12
        /32 host LOCAL
     |-- 127.0.0.1
        /32 host LOCAL
`;

test('routes and addresses are read from the texts of the kernel', () => {
  const routes = routesOfV4(routeTable);
  assert.deepEqual(routes, [
    { destination: '0.0.0.0/0', gateway: '198.51.100.1', iface: 'eno1' },
    { destination: '198.51.100.0/24', gateway: null, iface: 'eno1' },
  ]);
  const addresses = addressesOfV4(trie, routes);
  assert.deepEqual(addresses, [{ iface: 'eno1', address: '198.51.100.12/24' }]);
  assert.deepEqual(withoutConnected(routes, addresses), [routes[0]]);
  const zero = '0'.repeat(32);
  const via = `fe80${'0'.repeat(27)}1`;
  assert.deepEqual(
    routesOfV6(
      [
        `${zero} 00 ${zero} 00 ${via} 00000400 00000001 00000000 00000003     eno1`,
        `${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo`,
        `20010db8000700000000000000000012 80 ${zero} 00 ${zero} 00000000 00000001 00000000 80200001     eno1`,
      ].join('\n'),
    ).map(({ gateway, iface }) => [gateway, iface]),
    [['fe80:0:0:0:0:0:0:1', 'eno1']],
  );
  assert.deepEqual(addressesOfV6('20010db8000700000000000000000012 03 40 00 80     eno1\n'), [
    { iface: 'eno1', address: '2001:db8:7:0:0:0:0:12/64' },
  ]);
});

/** Extended configuration space with one capability. */
function extended(id: number, control: number, next = 0): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setUint32(0x100, id | (1 << 16) | (next << 20), true);
  view.setUint16(0x106, control, true);
  return bytes;
}

test('ACS is told by its capability alone, and only when all four bits are on', () => {
  assert.equal(placeFacts(extended(0x0d, 0x1d)).acs, true);
  assert.equal(placeFacts(extended(0x0d, 0x5f)).acs, true);
  assert.equal(placeFacts(extended(0x0d, 0x1c)).acs, false);
  assert.equal(placeFacts(extended(0x01, 0x1d)).acs, null);
  assert.equal(placeFacts(extended(0x01, 0, 0x100)).acs, null, 'a chain that bites its tail ends');
  assert.equal(placeFacts(new Uint8Array(64)).acs, null);
  const second = extended(0x01, 0, 0x140);
  new DataView(second.buffer).setUint32(0x140, 0x0001_000d, true);
  new DataView(second.buffer).setUint16(0x146, 0x1d, true);
  assert.equal(placeFacts(second).acs, true);
  assert.deepEqual(
    [new Uint8Array(64), new Uint8Array(256), new Uint8Array(4096)].map(
      (bytes) => placeFacts(bytes).express,
    ),
    [null, false, true],
  );
});
