// Containers that use their devices: the runtime under the stand-in kubelet, on the simulated kernel. A
// container opens the group it was given, as QEMU or DPDK would, and keeps it open until it ends.
import type { CdiSpec } from '../../src/kubelet/cdi.ts';
import type { KernelModel } from '../../src/kernel/model/kernel-model.ts';
import type { ContainerRun, ContainerRuntime, StartOutcome } from '../../src/standin/pod.ts';

/** CDI specs by qualified device name, as the runtime finds them. */
export type CdiSpecs = ReadonlyMap<string, CdiSpec>;

/** What happened to one container, for the checker. */
export interface RunningContainer {
  readonly run: ContainerRun;
  readonly pid: number;
  /** Leaders of the groups it was given. */
  readonly leaders: readonly string[];
  /** It has its groups open. */
  readonly opened: boolean;
}

/** Host device nodes of a run; a CDI name that resolves to nothing is a create error. */
function nodesOf(run: ContainerRun, specs: CdiSpecs): readonly string[] | string {
  const nodes = run.grant.deviceNodes.map((node) => node.hostPath);
  for (const name of run.grant.cdiDevices) {
    const spec = specs.get(name);
    if (spec === undefined) return `unresolvable CDI devices ${name}`;
    nodes.push(
      ...spec.devices[0].containerEdits.deviceNodes.map((node) => node.hostPath ?? node.path),
    );
  }
  return [...new Set(nodes)];
}

/** Leaders that a grant names: by CDI device, else by the SR-IOV environment (its order is the order of the IDs). */
function leadersOf(run: ContainerRun): readonly string[] {
  const cdi = run.grant.cdiDevices.map((name) => name.slice(name.indexOf('=') + 1));
  if (cdi.length > 0) return cdi;
  const members = Object.entries(run.grant.envs).filter(([name]) =>
    name.startsWith('PCI_RESOURCE_'),
  );
  return members.flatMap(([, value]) => value.split(','));
}

/** How containers behave. */
export interface RuntimeOptions {
  readonly model: () => KernelModel;
  readonly specs: CdiSpecs;
  /** Whether the next container opens what it gets. */
  readonly opens: () => boolean;
  readonly onStart: (container: RunningContainer, problem: string | null) => void;
  readonly onEnd: (run: ContainerRun) => void;
}

/** A runtime whose containers use VFIO. */
export class VfioRuntime implements ContainerRuntime {
  readonly running = new Map<ContainerRun, RunningContainer>();
  readonly #options: RuntimeOptions;

  constructor(options: RuntimeOptions) {
    this.#options = options;
  }

  async start(run: ContainerRun): Promise<StartOutcome> {
    const nodes = nodesOf(run, this.#options.specs);
    if (typeof nodes === 'string') return { kind: 'failed', message: nodes };
    const model = this.#options.model();
    for (const node of nodes) {
      const found = await model.exists(node);
      if (found.kind !== 'value' || !found.value) {
        return {
          kind: 'failed',
          message: `error gathering device information for ${node}: no such file`,
        };
      }
    }
    const pid = model.control.spawnProcess(`${run.pod}-${run.container}`);
    const opened = this.#options.opens();
    const problem = opened ? openGroups(model, pid, nodes) : null;
    const container = { run, pid, leaders: leadersOf(run), opened };
    this.running.set(run, container);
    this.#options.onStart(container, problem);
    return { kind: 'started' };
  }

  stop(run: ContainerRun): Promise<void> {
    this.exited(run);
    return Promise.resolve();
  }

  exited(run: ContainerRun): void {
    const container = this.running.get(run);
    if (container === undefined) return;
    this.running.delete(run);
    this.#options.model().control.kill(container.pid, 9);
    this.#options.onEnd(run);
  }
}

/** Opens container and groups and sets the IOMMU; the first refusal as text, null when all went well. */
export function openGroups(
  model: KernelModel,
  pid: number,
  nodes: readonly string[],
): string | null {
  const { control } = model;
  const containerPath = nodes.find((node) => node.endsWith('/vfio/vfio'));
  if (containerPath === undefined) return null;
  const container = control.openFile(pid, containerPath);
  if (!container.ok) return `open ${containerPath}: ${container.errno}`;
  const groups = nodes.filter((node) => /\/vfio\/\d+$/.test(node));
  for (const path of groups) {
    const group = control.openFile(pid, path);
    if (!group.ok) return `open ${path}: ${group.errno}`;
    const set = control.setContainer(pid, group.value, container.value);
    if (!set.ok) return `SET_CONTAINER ${path}: ${set.errno}`;
  }
  const iommu = control.setIommu(pid, container.value, 1);
  return iommu.ok ? null : `SET_IOMMU: ${iommu.errno}`;
}
