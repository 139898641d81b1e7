import assert from 'node:assert/strict';
import { test } from 'node:test';
import { link, type Tree } from './machine.ts';
import {
  broken,
  place,
  processTree,
  routes,
  said,
  target,
  unknownPaths,
  useTests,
} from './using.ts';

const lookWith = useTests();
const net = 'sys/class/net';
const device = `sys/devices/pci0000:00/${target}`;
const down = '0x1002\n';
const up = '0x1003\n';

/** eth0 below the target. */
function eth0(flags: string, more: Tree = {}): Tree {
  return { [`${device}/net/eth0`]: { flags, ...more }, [`${net}/eth0`]: link(`${place}/net/eth0`) };
}

/** A virtual interface. */
function virtual(name: string, more: Tree = {}): Tree {
  return {
    [`sys/devices/virtual/net/${name}`]: { flags: up, ...more },
    [`${net}/${name}`]: link(`../../devices/virtual/net/${name}`),
  };
}

const local = (...addresses: readonly string[]): Tree => ({
  'proc/1/net/fib_trie': `Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 127.0.0.1\n        /32 host LOCAL\n${addresses
    .map((address) => `     |-- ${address}\n        /32 host LOCAL\n`)
    .join('')}     |-- 192.0.2.255\n        /32 link BROADCAST\n`,
});
const subnet = (iface: string): readonly [string, string, string, string] => [
  iface,
  '000200C0',
  '00000000',
  '00FFFFFF',
];
const viaGateway = (iface: string): readonly [string, string, string, string] => [
  iface,
  '00000000',
  '010200C0',
  '00000000',
];
const six = (address: string, iface: string): Tree => ({
  'proc/1/net/if_inet6': `${address} 02 40 00 80 ${iface.padStart(8)}\n`,
});
const zeros = '0'.repeat(32);

const cases: readonly (readonly [sentence: string, tree: Tree, uses: readonly string[]])[] = [
  ['an interface that is down and has nothing is no use', eth0(down), []],
  ['an interface that is up', eth0(up), ['NetworkInterfaceUp eth0']],
  [
    'an address, found by its subnet',
    { ...eth0(up), ...routes(subnet('eth0')), ...local('192.0.2.9') },
    ['NetworkAddress eth0 192.0.2.9', 'NetworkInterfaceUp eth0'],
  ],
  [
    "the node's own address",
    { ...eth0(up), ...routes(subnet('eth0')), ...local('192.0.2.7') },
    ['NetworkInterfaceUp eth0', 'NodeAddress eth0 192.0.2.7'],
  ],
  [
    "the node's own IPv6 address",
    { ...eth0(down), ...six('20010db8000000000000000000000007', 'eth0') },
    ['NodeAddress eth0 2001:db8::7'],
  ],
  [
    'a link-local address comes by itself',
    { ...eth0(up), ...six('fe80000000000000505400fffe000010', 'eth0') },
    ['NetworkInterfaceUp eth0'],
  ],
  [
    "another interface's addresses and routes are not its own",
    {
      ...eth0(down),
      ...virtual('eth9'),
      ...routes(subnet('eth9'), viaGateway('eth9')),
      ...local('192.0.2.9'),
    },
    [],
  ],
  [
    'the default route',
    { ...eth0(up), ...routes(viaGateway('eth0')) },
    ['NetworkDefaultRoute eth0', 'NetworkInterfaceUp eth0'],
  ],
  [
    'the IPv6 default route',
    {
      ...eth0(up),
      'proc/1/net/ipv6_route': `${zeros} 00 ${zeros} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n`,
    },
    ['NetworkDefaultRoute eth0', 'NetworkInterfaceUp eth0'],
  ],
  [
    "the kernel's entry for unreachable networks is no default route",
    {
      ...eth0(down),
      'proc/1/net/ipv6_route': `${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200     eth0\n`,
    },
    [],
  ],
  [
    'a port of a bond that has the address and the route',
    {
      ...eth0(down, { master: link('../../../virtual/net/bond0') }),
      ...virtual('bond0', { lower_eth0: link('x') }),
      ...routes(subnet('bond0'), viaGateway('bond0')),
      ...local('192.0.2.9'),
    },
    [
      'NetworkAddress bond0 over eth0 192.0.2.9',
      'NetworkDefaultRoute bond0 over eth0',
      'NetworkLowerDevice eth0 under bond0',
    ],
  ],
  [
    'a vlan on a bridge on the interface',
    {
      ...eth0(down, {
        master: link('../../../virtual/net/br0'),
        upper_br0: link('../../../virtual/net/br0'),
      }),
      ...virtual('br0', { 'upper_br0.7': link('../br0.7') }),
      ...virtual('br0.7'),
      ...routes(subnet('br0.7')),
      ...local('192.0.2.7'),
    },
    [
      'NetworkLowerDevice eth0 under br0',
      'NetworkLowerDevice eth0 under br0.7',
      'NodeAddress br0.7 over eth0 192.0.2.7',
    ],
  ],
  [
    'a port of Open vSwitch, whose datapath has no folder here',
    eth0(down, { master: link('../../../virtual/net/ovs-system') }),
    ['NetworkLowerDevice eth0 under ovs-system'],
  ],
  [
    'an interface that was moved to a pod leaves its folder empty',
    { [`${device}/net`]: {} },
    ['NetworkInOtherNamespace its network interface'],
  ],
  [
    'so does one of a virtio function',
    { [`${device}/virtio3/net`]: {} },
    ['NetworkInOtherNamespace its network interface'],
  ],
  [
    'RDMA that nobody uses is no use',
    {
      [`${device}/infiniband/mlx5_0`]: {},
      'sys/class/infiniband/mlx5_0': link(`${place}/infiniband/mlx5_0`),
      'sys/module/rpcrdma/refcnt': '0\n',
    },
    [],
  ],
  [
    'verbs that a program has open',
    {
      'sys/class/infiniband_verbs/uverbs0': link(`${place}/infiniband_verbs/uverbs0`),
      ...processTree(8, {
        comm: 'ib_write_bw',
        files: ['/dev/infiniband/uverbs0', '/dev/infiniband/uverbs1'],
      }),
    },
    ['RdmaInUse uverbs0 open by pid 8 (ib_write_bw)'],
  ],
  [
    'a kernel user of RDMA',
    {
      [`${device}/infiniband/mlx5_0`]: {},
      'sys/class/infiniband/mlx5_0': link(`${place}/infiniband/mlx5_0`),
      'sys/module/nvme_rdma/refcnt': '2\n',
    },
    ['RdmaInUse nvme_rdma (kernel)'],
  ],
  [
    'an RDMA device in another namespace',
    { [`${device}/infiniband`]: {} },
    ['RdmaInUse its RDMA device, in another namespace'],
  ],
];

for (const [sentence, tree, uses] of cases) {
  test(sentence, async (t) => {
    assert.deepEqual(said(await lookWith(t, tree)), uses);
  });
}

const unreadable: readonly (readonly [what: string, tree: Tree, path: string])[] = [
  ['the list of interfaces', { [net]: broken }, '/sys/class/net'],
  ['the flags of an interface', eth0('up\n'), '/sys/class/net/eth0/flags'],
  [
    'a missing flags file',
    { ...eth0(up), [`${device}/net/eth0`]: { flags: broken } },
    '/sys/class/net/eth0/flags',
  ],
  ['what is stacked on it', eth0(down, { master: '' }), '/sys/class/net/eth0/master'],
  [
    'routes of another form',
    { ...eth0(down), 'proc/1/net/route': 'Routes\n' },
    '/proc/1/net/route',
  ],
  [
    'a route that is cut',
    { ...eth0(down), 'proc/1/net/route': 'Iface\tDestination\neth0\t0000' },
    '/proc/1/net/route',
  ],
  ['the IPv4 addresses', { ...eth0(down), 'proc/1/net/fib_trie': broken }, '/proc/1/net/fib_trie'],
  [
    'IPv6 addresses of another form',
    { ...eth0(down), 'proc/1/net/if_inet6': 'x\n' },
    '/proc/1/net/if_inet6',
  ],
  [
    'IPv6 routes of another form',
    { ...eth0(down), 'proc/1/net/ipv6_route': 'x\n' },
    '/proc/1/net/ipv6_route',
  ],
  ['the net folder of a function', { [`${device}/net`]: '' }, `/sys/bus/pci/devices/${target}/net`],
  ['the RDMA devices', { 'sys/class/infiniband': broken }, '/sys/class/infiniband'],
  ['the verbs devices', { 'sys/class/infiniband_verbs': broken }, '/sys/class/infiniband_verbs'],
  [
    'a kernel user of RDMA',
    {
      'sys/class/infiniband/mlx5_0': link(`${place}/infiniband/mlx5_0`),
      'sys/module/smc/refcnt': {},
    },
    '/sys/module/smc/refcnt',
  ],
  [
    'the RDMA folder of a function',
    { [`${device}/infiniband`]: '' },
    `/sys/bus/pci/devices/${target}/infiniband`,
  ],
];

for (const [what, tree, path] of unreadable) {
  test(`${what} cannot be read: an unknown use that names ${path}`, async (t) => {
    assert.ok(unknownPaths(await lookWith(t, tree)).includes(path));
  });
}

test('a kernel without IPv6 is not an unknown', async (t) => {
  const look = await lookWith(t, {
    ...eth0(up),
    'proc/1/net/if_inet6': link('/nowhere'),
    'proc/1/net/ipv6_route': link('/nowhere'),
  });
  assert.deepEqual(said(look), ['NetworkInterfaceUp eth0']);
});
