// What is there as soon as a machine is up, before any user does anything: lo, consoles, and the open files
// of the processes that the topology has.
import type { Machine } from '../machine.ts';
import { OpenFile } from '../objects/open-file.ts';
import { addChild, virtualParent } from '../operations/children.ts';
import type { NetSpec } from '../spec.ts';

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

/** Completes a machine that has booted; harmless when it was done already. Sends no events. */
export function settleSurroundings(machine: Machine): void {
  const parent = virtualParent();
  const missing = (subsystem: string, name: string): boolean =>
    machine.children.get(subsystem, name) === undefined;
  if (missing('net', 'lo')) {
    // Other interfaces are counted from 2: index 1 is always lo.
    const facts = { kind: 'net', net: loopback, ifindex: 1 } as const;
    addChild(machine, { name: 'lo', subsystem: 'net', parent, facts }, true);
  }
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
  for (const process of machine.processes.all()) {
    if (process.spec === null || process.files.size > 0) continue;
    for (const target of process.spec.files) {
      process.install(new OpenFile({ kind: 'other' }, target, null));
    }
  }
}
