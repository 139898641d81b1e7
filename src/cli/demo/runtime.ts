// The demo's containers: each reads its CDI specs as a runtime does, and opens its groups on the served kernel
// as QEMU or DPDK would.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RemoteControl } from '../../kernel/remote/remote-control.ts';
import type { CdiSpec } from '../../kubelet/cdi.ts';
import { isPciAddress } from '../../pci/address.ts';
import type { ContainerRun, ContainerRuntime, StartOutcome } from '../../standin/pod.ts';

/** Qualified device names that the specs in a folder define. */
function definedDevices(cdiDir: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const file of readdirSync(cdiDir)) {
    if (!file.endsWith('.json')) continue;
    const spec = JSON.parse(readFileSync(join(cdiDir, file), 'utf8')) as CdiSpec;
    for (const device of spec.devices) names.add(`${spec.kind}=${device.name}`);
  }
  return names;
}

/** A runtime whose containers use VFIO on the kernel behind `control`. */
export class DemoRuntime implements ContainerRuntime {
  readonly #control: RemoteControl;
  readonly #cdiDir: string;
  readonly #users = new Map<ContainerRun, number[]>();

  constructor(control: RemoteControl, cdiDir: string) {
    this.#control = control;
    this.#cdiDir = cdiDir;
  }

  async start(run: ContainerRun): Promise<StartOutcome> {
    const defined = definedDevices(this.#cdiDir);
    const pids: number[] = [];
    for (const name of run.grant.cdiDevices) {
      if (!defined.has(name))
        return { kind: 'failed', message: `unresolvable CDI devices ${name}` };
      const leader = name.slice(name.indexOf('=') + 1);
      if (!isPciAddress(leader)) return { kind: 'failed', message: `${name} names no PCI device` };
      const entered = await this.#control.perform('enterGroup', { address: leader, comm: 'qemu' });
      if (entered.kind !== 'done') {
        return { kind: 'failed', message: `opening ${leader}: ${JSON.stringify(entered)}` };
      }
      pids.push((entered.value as { readonly pid: number }).pid);
    }
    this.#users.set(run, pids);
    return { kind: 'started' };
  }

  async stop(run: ContainerRun): Promise<void> {
    const pids = this.#users.get(run) ?? [];
    this.#users.delete(run);
    for (const pid of pids) await this.#control.perform('kill', { pid, signal: 9 });
  }

  exited(run: ContainerRun): void {
    void this.stop(run);
  }
}
