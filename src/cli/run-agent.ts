// The agent as a process, from a kernel that was chosen to its last signal.
import { reportedNameProblem } from '../api/node-name.ts';
import type { Clock } from '../base/clock.ts';
import { CodedError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { serveObserved } from '../observe/http-server.ts';
import type { ListenAddress } from '../observe/listen-address.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { Delivery } from '../ownership/record.ts';
import type { AgentCluster, AgentClusterOptions } from './agent-cluster.ts';
import { type AgentProcess, startAgent } from './agent-process.ts';
import { apiAccess, type ApiFlags } from './api-access.ts';
import { endOfProcess } from './end-of-process.ts';
import { collectWhenIdle } from './idle-garbage.ts';
import type { ChosenKernel, KernelFlags } from './kernel-choice.ts';
import { observedKernel } from './observed-kernel.ts';
import { defaultPoliciesPath } from './places.ts';
import { requireUsableKernel } from './usable-kernel.ts';
import { version } from './version.ts';

/** Flags of `wholegroup agent`, as they are written. */
export interface AgentFlags extends KernelFlags, ApiFlags {
  readonly policies?: string;
  readonly state: string;
  readonly kubeletDir: string;
  readonly cdiDir: string;
  readonly delivery: Delivery;
  readonly deviceRoot: string;
  readonly deviceStandIn?: string;
  readonly nodeName?: string;
  readonly nodeLabel: readonly string[];
  readonly listen: string;
  readonly kubeletReadySeconds: string;
}

/** The flags, and what those of them mean that are texts of something else. */
export interface AgentWanted extends Omit<AgentFlags, 'listen' | 'nodeName'> {
  readonly listen: ListenAddress;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly nodeName: string;
  readonly kubeletReadyMs: number;
}

/** What the caller owns, and closes. */
export interface AgentSurroundings {
  readonly chosen: ChosenKernel;
  readonly clock: Clock;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs an agent until a signal ends it; resolves with the exit status. Throws CodedError when it cannot start. */
export async function runAgent(
  wanted: AgentWanted,
  { chosen, clock, log, env }: AgentSurroundings,
): Promise<number> {
  const metrics = createMetrics({ version });
  const ended = endOfProcess();
  let running: AgentProcess | null = null;
  const observed = {
    readiness: () => readiness(running),
    groups: () => running?.agent.views() ?? [],
    metrics: async () => ({ text: await metrics.text(), contentType: metrics.contentType }),
  };
  const server = await serveObserved(wanted.listen, observed, log);
  try {
    await requireUsableKernel(chosen.kernel, { clock, log });
    const access = await apiAccess(wanted, { env, clock, log });
    const policiesPath = wanted.policies ?? (access === null ? defaultPoliciesPath : null);
    const { nodeName, state: stateDir } = wanted;
    const policiesFromApi = policiesPath === null;
    const ofCluster = { nodeName, stateDir, policiesFromApi, clock, log, metrics };
    const cluster = access === null ? null : await connect({ access, ...ofCluster });
    running = await startAgent(
      { ...wanted, policiesPath, stateDir },
      {
        ...{ clock, log, metrics, cluster },
        kernel: observedKernel(chosen.kernel, metrics),
        onCrash: ended.crash,
      },
    );
    log.info('agent started', {
      node: nodeName,
      kernel: chosen.description,
      groups: running.agent.views().length,
    });
    const garbage = collectWhenIdle(clock, collector());
    const signal = await ended.signal;
    garbage.clear();
    log.info('agent stopping', { signal });
    await running.stop();
    return 0;
  } finally {
    await server.close();
    metrics.close();
  }
}

/** Loaded only where there is an API server: it is a good part of the program. Throws WG_FLAG_INVALID. */
async function connect(options: AgentClusterOptions): Promise<AgentCluster> {
  const problem = reportedNameProblem(options.nodeName);
  if (problem !== null) {
    throw new CodedError('WG_FLAG_INVALID', `--node-name "${options.nodeName}": ${problem}`);
  }
  const { createAgentCluster } = await import('./agent-cluster.ts');
  return createAgentCluster(options);
}

function readiness(running: AgentProcess | null): readonly string[] {
  if (running === null) return ['the agent is starting'];
  return running.plugins.state().registered
    ? []
    : ['a resource is not registered with the kubelet'];
}

function collector(): (() => void) | undefined {
  const { gc } = globalThis;
  return gc === undefined ? undefined : () => gc();
}
