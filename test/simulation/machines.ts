// Machines for the simulation: a few bundled ones, and random ones small enough that everything happens to
// everything. Every random machine keeps a root disk and an uplink that no policy must ever get.
import type { Random } from '../../src/base/random.ts';
import { bundledTopology } from '../../src/kernel/model/topology-bundled.ts';
import { parseTopology } from '../../src/kernel/model/topology.ts';
import type { KernelProfile, MachineSpec } from '../../src/kernel/model/spec.ts';

const kinds = [
  { id: '8086:10d3', class: '020000', driver: 'e1000e', net: true },
  { id: '8086:100e', class: '020000', driver: 'e1000', net: true },
  { id: '1b36:0010', class: '010802', driver: 'nvme', net: false },
  { id: '8086:1521', class: '020000', driver: 'igb', net: true },
  { id: '10de:2235', class: '030200', driver: 'nvidia', net: false },
  { id: '10de:1aef', class: '040300', driver: 'snd_hda_intel', net: false },
  { id: '1234:11e8', class: '00ff00', driver: '', net: false },
] as const;

function functionText(random: Random, port: string, index: number, fn: number): string {
  const kind = random.pick(kinds);
  const fields = [`parent: "${port}"`, `id: ${kind.id}`, `class: "${kind.class}"`];
  if (kind.driver !== '') fields.push(`driver: ${kind.driver}`);
  if (random.chance(0.3)) fields.push('resets: []');
  if (kind.net) fields.push(`net: [{name: nic${index}f${fn}, up: ${random.chance(0.15)}}]`);
  if (kind.driver === 'nvme') {
    fields.push(
      `nvme: nvme${index + 1}`,
      `block: [{name: nvme${index + 1}n${fn + 1}, contents: ext4}]`,
    );
  }
  const slot = (0x10 + index).toString(16);
  return `  "0000:${slot}:00.${fn}": {${fields.join(', ')}}`;
}

function randomText(random: Random, profile: KernelProfile): string {
  const lines: string[] = [];
  const ports = 2 + random.below(3);
  for (let index = 0; index < ports; index++) {
    const port = `0000:00:${(0x10 + index).toString(16)}.0`;
    lines.push(`  "${port}": {id: "8086:7a40", class: "060400", acs: ${random.chance(0.8)}}`);
    const functions = 1 + random.below(3);
    for (let fn = 0; fn < functions; fn++) lines.push(functionText(random, port, index, fn));
  }
  return [
    'topology: 1',
    'description: a random machine of the simulation',
    `kernel: {profile: "${profile}"}`,
    'iommu: {kind: intel, units: [dmar0]}',
    'devices:',
    '  "0000:00:00.0": {id: "8086:29c0", class: "060000"}',
    '  "0000:00:02.0": {id: "1b36:0010", class: "010802", driver: nvme, nvme: nvme0, block: [{name: nvme0n1, contents: ext4}]}',
    '  "0000:00:03.0": {id: "8086:10d3", class: "020000", driver: e1000e, net: [{name: uplink, up: true, addresses: [192.0.2.10/24]}]}',
    ...lines,
    'mounts: [{source: nvme0n1, target: /, fsType: ext4}]',
    'routes: [{destination: 0.0.0.0/0, gateway: 192.0.2.1, iface: uplink}]',
    'processes: [{pid: 1, comm: systemd}, {pid: 812, comm: kubelet}]',
  ].join('\n');
}

const bundled = [
  'guest',
  'gpu-workstation',
  'nvme-lvm',
  'no-acs',
  'transcripts',
  'two-numa',
] as const;
const profiles = ['6.1', '6.12', '7.2'] as const;

/** A machine of the simulation; the same random state gives the same machine. */
export function randomMachine(random: Random): MachineSpec {
  const profile = random.pick(profiles);
  if (random.chance(0.25)) {
    return { ...bundledTopology(random.pick(bundled)), profile, release: null };
  }
  const parsed = parseTopology(randomText(random, profile), 'random');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problem));
  return parsed.value;
}
