// Which kernel a command works on: this machine's Linux, a served model, or a model made here from a file. Only the
// chosen one is loaded.
import type { Clock } from '../base/clock.ts';
import { CodedError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { KernelFs } from '../kernel/fs.ts';
import type { KernelProfile, MachineSpec } from '../kernel/model/spec.ts';

/** Flags that choose the kernel. */
export interface KernelFlags {
  /** `linux`, `unix:///path` of a served model, the name of a bundled machine, or a topology file. */
  readonly kernel: string;
  readonly sysfs?: string;
  readonly proc?: string;
  readonly dev?: string;
  readonly run?: string;
}

/** A kernel and how to let go of it. */
export interface ChosenKernel {
  readonly kernel: KernelFs;
  /** For people: `Linux`, `served at /run/x.sock`, `simulated gpu-workstation`. */
  readonly description: string;
  close(): Promise<void>;
}

/** What a kernel is opened with. */
export interface KernelContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly laneEntry?: string;
  /** How long a served kernel that is not there yet is waited for; not at all when left out. */
  readonly servedWithinMs?: number;
  /** A lane comes up at once: calls that may block follow soon. */
  readonly warm?: boolean;
}

const servedForm = /^unix:\/\/(\/.+)$/;

/** Opens the kernel that the flags name. Throws WG_FLAG_INVALID, WG_TOPOLOGY_INVALID or WG_KERNEL_UNREACHABLE. */
export async function chooseKernel(
  flags: KernelFlags,
  context: KernelContext,
): Promise<ChosenKernel> {
  if (flags.kernel === 'linux') return chooseLinux(flags, context);
  const served = servedForm.exec(flags.kernel)?.[1];
  if (served !== undefined) {
    const { connectKernel } = await import('../kernel/remote/remote-kernel.ts');
    const kernel = await connectKernel(served, context.clock, context.servedWithinMs);
    return { kernel, description: `served at ${served}`, close: async () => kernel.close() };
  }
  if (flags.kernel.startsWith('unix:')) {
    throw new CodedError(
      'WG_FLAG_INVALID',
      `--kernel "${flags.kernel}": the form is unix:///absolute/path`,
    );
  }
  const spec = await machineOf(flags.kernel, null);
  const { KernelModel } = await import('../kernel/model/kernel-model.ts');
  const kernel = new KernelModel({ spec, clock: context.clock });
  return { kernel, description: `simulated ${spec.name}`, close: async () => undefined };
}

async function chooseLinux(flags: KernelFlags, context: KernelContext): Promise<ChosenKernel> {
  const { LinuxKernel } = await import('../kernel/linux/linux-kernel.ts');
  const { sysfs, proc, dev, run } = flags;
  const kernel = new LinuxKernel({
    ...context,
    roots: {
      ...(sysfs === undefined ? {} : { sysfs }),
      ...(proc === undefined ? {} : { proc }),
      ...(dev === undefined ? {} : { dev }),
      ...(run === undefined ? {} : { run }),
    },
  });
  if (context.warm === true) kernel.warm();
  return { kernel, description: 'Linux', close: async () => kernel.close() };
}

/** The machine of `--topology`: a bundled name or a file, with another kernel profile when one is named. */
export async function machineOf(
  nameOrFile: string,
  profile: KernelProfile | null,
): Promise<MachineSpec> {
  const { bundledTopology, isBundledTopology } = await import(
    '../kernel/model/topology-bundled.ts'
  );
  const { readTopologyFile } = await import('../kernel/model/topology.ts');
  const spec = isBundledTopology(nameOrFile)
    ? bundledTopology(nameOrFile)
    : await readTopologyFile(nameOrFile);
  return profile === null ? spec : { ...spec, profile, release: null };
}
