// The container runtime of the guest: a container is one program that opens what its CDI specs name, through VFIO.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CdiSpec } from '../../../../src/kubelet/cdi.ts';
import type { ContainerRun, ContainerRuntime, StartOutcome } from '../../../../src/standin/pod.ts';
import { driverOf, endpointsOf } from './sysfs.ts';
import { VfioProgram } from './vfio-program.ts';

/** Containers that use VFIO on the guest's own devices. */
export class VfioContainers implements ContainerRuntime {
  readonly #cdiDir: string;
  readonly #programs = new Map<string, VfioProgram[]>();
  /** Nodes that the containers of a pod were given, when they were started last. */
  readonly #nodes = new Map<string, readonly string[]>();
  /** A container that is stopped leaves its program behind, as one whose shim was killed. */
  leaveBehind = false;

  constructor(cdiDir: string) {
    this.#cdiDir = cdiDir;
  }

  async start(run: ContainerRun): Promise<StartOutcome> {
    const programs: VfioProgram[] = [];
    try {
      for (const name of run.grant.cdiDevices) {
        const leader = name.slice(name.indexOf('=') + 1);
        const nodes = this.#nodesOf(name);
        this.#nodes.set(run.uid, nodes);
        programs.push(await this.#use(nodes, leader));
      }
    } catch (thrown) {
      for (const program of programs) await program.kill();
      return { kind: 'failed', message: thrown instanceof Error ? thrown.message : String(thrown) };
    }
    this.#programs.set(run.uid, programs);
    return { kind: 'started' };
  }

  async stop(run: ContainerRun): Promise<void> {
    if (!this.leaveBehind) await this.kill(run.uid);
  }

  exited(run: ContainerRun): void {
    void this.kill(run.uid);
  }

  /** Programs of a pod, also those that it left behind. */
  programsOf(uid: string): readonly VfioProgram[] {
    return this.#programs.get(uid) ?? [];
  }

  /** Nodes that a pod was given. */
  nodesOf(uid: string): readonly string[] {
    return this.#nodes.get(uid) ?? [];
  }

  /** Ends every program of a pod. */
  async kill(uid: string): Promise<void> {
    const programs = this.#programs.get(uid) ?? [];
    this.#programs.delete(uid);
    await Promise.all(programs.map((program) => program.kill()));
  }

  /** Device nodes that the spec of a qualified device name hands out. */
  #nodesOf(name: string): readonly string[] {
    for (const file of readdirSync(this.#cdiDir).filter((each) => each.endsWith('.json'))) {
      const spec = JSON.parse(readFileSync(join(this.#cdiDir, file), 'utf8')) as CdiSpec;
      const device = spec.devices.find((each) => `${spec.kind}=${each.name}` === name);
      if (device !== undefined) return device.containerEdits.deviceNodes.map(({ path }) => path);
    }
    throw new Error(`unresolvable CDI devices ${name}`);
  }

  /** Uses what the nodes are: the files of devices with /dev/iommu, or a group. */
  #use(nodes: readonly string[], leader: string): Promise<VfioProgram> {
    if (nodes.includes('/dev/iommu')) {
      return VfioProgram.startByFiles(
        nodes.filter((path) => path.startsWith('/dev/vfio/devices/')),
      );
    }
    const group = nodes.map((path) => /^\/dev\/vfio\/(\d+)$/.exec(path)?.[1]).find(Boolean);
    if (group === undefined) throw new Error(`no group among ${nodes.join(', ')}`);
    const onVfio = endpointsOf(leader).filter((each) => driverOf(each) === 'vfio-pci');
    return VfioProgram.start(group, onVfio);
  }
}
