// /proc/net/fib_trie (net/ipv4/fib_trie.c, fib_trie_seq_show): the one place in /proc that shows the IPv4
// addresses of the host. The shape of the inner nodes is simplified to one; leaves and their lines are exact.
import type { Machine } from '../machine.ts';
import { dotted, netsIn, prefixOf, withHostBits } from './net-names.ts';
import { routesIn } from './proc-net.ts';

interface Alias {
  readonly length: number;
  readonly scope: 'universe' | 'link' | 'host';
  readonly type: 'UNICAST' | 'LOCAL' | 'BROADCAST';
}

type Leaves = Map<string, Alias[]>;

function add(leaves: Leaves, address: readonly number[], alias: Alias): void {
  const key = dotted(address);
  const aliases = leaves.get(key);
  if (aliases === undefined) leaves.set(key, [alias]);
  else if (!aliases.some((one) => one.length === alias.length && one.type === alias.type)) {
    aliases.push(alias);
  }
}

function leavesOf(machine: Machine, namespace: string): Leaves {
  const leaves: Leaves = new Map();
  for (const route of routesIn(machine, namespace)) {
    const prefix = prefixOf(route.destination);
    if (prefix.family !== 4) continue;
    const scope = route.gateway === null ? 'link' : 'universe';
    add(leaves, withHostBits(prefix, 0), { length: prefix.length, scope, type: 'UNICAST' });
  }
  for (const { net } of netsIn(machine, namespace)) {
    if (!net.up) continue;
    for (const address of net.addresses) {
      const prefix = prefixOf(address);
      if (prefix.family !== 4) continue;
      if (net.name === 'lo') {
        const whole = { length: prefix.length, scope: 'host', type: 'LOCAL' } as const;
        add(leaves, withHostBits(prefix, 0), whole);
      }
      add(leaves, prefix.bytes, { length: 32, scope: 'host', type: 'LOCAL' });
      if (prefix.length >= 31) continue;
      add(leaves, withHostBits(prefix, 1), { length: 32, scope: 'link', type: 'BROADCAST' });
    }
  }
  return leaves;
}

function byAddress([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  const [left, right] = [prefixOf(a).bytes, prefixOf(b).bytes];
  const at = left.findIndex((byte, index) => byte !== right[index]);
  return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}

/** The text. Without policy rules both tables are one trie, and the kernel shows it under both names. */
export function fibTrieText(machine: Machine, namespace: string): string {
  const leaves = [...leavesOf(machine, namespace)].sort(byAddress);
  const lines = leaves.flatMap(([address, aliases]) => [
    `     |-- ${address}`,
    ...aliases
      .sort((a, b) => b.length - a.length)
      .map(({ length, scope, type }) => `        /${length} ${scope} ${type}`),
  ]);
  const trie = ['  +-- 0.0.0.0/0 3 0 5', ...lines].join('\n');
  return leaves.length === 0 ? 'Main:\nLocal:\n' : `Main:\n${trie}\nLocal:\n${trie}\n`;
}
