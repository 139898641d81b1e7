// What is there as soon as a machine is up, before any user does anything: lo, bonds and bridges, stacked block
// devices, consoles, and the open files of the processes that the topology has.
import type { Machine } from '../machine.ts';
import { OpenFile } from '../objects/open-file.ts';
import { addChild, virtualParent } from '../operations/children.ts';
import type { NetSpec, ProcessSpec } from '../spec.ts';
import { hostNamespace } from '../topology-defaults.ts';

const loopback: NetSpec = {
  name: 'lo',
  mac: '00:00:00:00:00:00',
  up: true,
  carrier: true,
  addresses: ['127.0.0.1/8', '::1/128'],
  master: null,
  uppers: [],
  namespace: null,
};

/** Every machine has its first process, also one whose topology says nothing of processes. */
const init: ProcessSpec = {
  pid: 1,
  comm: 'systemd',
  mountNamespace: hostNamespace,
  netNamespace: hostNamespace,
  files: [],
  fdinfo: {},
};

/** Sectors of a stacked device: what is below it has together (a mirror has less; nobody asks). */
function sectorsBelow(machine: Machine, name: string): number {
  let sectors = 0;
  for (const { facts } of machine.children.of('block')) {
    if (facts.kind === 'block' && facts.block.holders.includes(name))
      sectors += facts.block.sectors;
  }
  return sectors;
}

function addNets(machine: Machine): void {
  const add = (net: NetSpec, ifindex: number, type: { readonly devtype?: string }): void => {
    if (machine.children.get('net', net.name) !== undefined) return;
    const facts = { kind: 'net', net, ifindex } as const;
    const form = { name: net.name, subsystem: 'net', parent: virtualParent(), facts, ...type };
    addChild(machine, form, true);
  };
  // Other interfaces are counted from 2: index 1 is always lo.
  add(loopback, 1, {});
  for (const { type, ...net } of machine.spec.virtualNets) {
    add(net, machine.ids('ifindex').take() + 2, { devtype: type });
  }
}

function addStacked(machine: Machine): void {
  for (const { name, devno, holders } of machine.spec.stacked) {
    if (machine.children.get('block', name) !== undefined) continue;
    const sectors = sectorsBelow(machine, name);
    const block = { name, devno, sectors, holders, partitions: [], contents: null };
    addChild(
      machine,
      {
        ...{ name, subsystem: 'block', parent: virtualParent() },
        ...{ devname: name, devno, devtype: 'disk' },
        facts: { kind: 'block', block, partition: false },
      },
      true,
    );
  }
}

/** Completes a machine that has booted; harmless when it was done already. Sends no events. */
export function settleSurroundings(machine: Machine): void {
  const parent = virtualParent();
  const missing = (subsystem: string, name: string): boolean =>
    machine.children.get(subsystem, name) === undefined;
  addNets(machine);
  addStacked(machine);
  for (const name of ['console', ...machine.spec.consoles]) {
    if (!missing('tty', name)) continue;
    const facts = name.startsWith('ttyS')
      ? { facts: { kind: 'serial', console: true } as const }
      : {};
    addChild(machine, { name, subsystem: 'tty', parent, devname: name, ...facts }, true);
  }
  for (const name of ['vtcon0', 'vtcon1']) {
    if (missing('vtconsole', name))
      addChild(machine, { name, subsystem: 'vtconsole', parent }, true);
  }
  if (machine.processes.get(1) === undefined) machine.processes.spawn(init.comm, init);
  for (const process of machine.processes.all()) {
    if (process.spec === null || process.files.size > 0) continue;
    for (const target of process.spec.files) {
      process.install(new OpenFile({ kind: 'other' }, target, null));
    }
  }
}
