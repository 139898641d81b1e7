// `wholegroup agent`: the node agent as a process, from its flags to its last signal.
import { hostname } from 'node:os';
import { type Command, Option } from 'commander';
import { CodedError } from '../../base/errors.ts';
import { createMetrics } from '../../observe/metrics.ts';
import { serveObserved } from '../../observe/http-server.ts';
import {
  defaultListenAddress,
  type ListenAddress,
  parseListenAddress,
} from '../../observe/listen-address.ts';
import { realClock } from '../../observe/real-clock.ts';
import type { Delivery } from '../../ownership/record.ts';
import type { AgentCluster, AgentClusterOptions } from '../agent-cluster.ts';
import { type AgentProcess, startAgent } from '../agent-process.ts';
import { addApiFlags, apiAccess, type ApiFlags } from '../api-access.ts';
import { addKernelFlags, type CommandContext, logOf } from '../command-context.ts';
import { endOfProcess } from '../end-of-process.ts';
import { chooseKernel, type KernelFlags } from '../kernel-choice.ts';
import { observedKernel } from '../observed-kernel.ts';
import { laneEntry } from '../places.ts';
import { requireUsableKernel } from '../usable-kernel.ts';
import { version } from '../version.ts';

interface AgentFlags extends KernelFlags, ApiFlags {
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

/** A simulated kernel and its agent may be started together, as by a cluster. */
const servedWithinMs = 30_000;
const defaultPoliciesPath = '/etc/wholegroup/policies';

/** Adds the command. */
export function addAgentCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('agent')
    .description('offer, take, guard and return whole IOMMU groups of this node')
    .option(
      '--policies <path>',
      `file or folder with PassthroughPolicy objects, watched (default: those of the API server; without one ${defaultPoliciesPath})`,
    )
    .option('--state <dir>', 'folder for the durable group records', '/var/lib/wholegroup')
    .option('--kubelet-dir <dir>', "the kubelet's own folder", '/var/lib/kubelet')
    .option('--cdi-dir <dir>', 'folder in which the runtime looks for CDI specs', '/var/run/cdi')
    .addOption(
      new Option('--delivery <how>', 'how devices reach a container')
        .choices(['cdi', 'device-nodes'])
        .default('cdi'),
    )
    .option('--device-root <dir>', 'folder on the host in which /dev stands, when it is not /', '')
    .option(
      '--device-stand-in <path>',
      'node of the host that containers get in the place of every VFIO node, as /dev/null (for a simulated kernel, which has none on the host)',
    )
    .option(
      '--kubelet-ready-seconds <n>',
      'how long after its start the lists of the kubelet are not trusted',
      '30',
    )
    .option('--node-name <name>', 'name of this node (default: NODE_NAME, else the host name)')
    .option(
      '--node-label <key=value...>',
      'label of this node, for nodeSelector; may be repeated',
      [],
    )
    .option(
      '--listen <address>',
      'where to serve /healthz, /readyz and /metrics',
      addressText(defaultListenAddress),
    );
  addApiFlags(addKernelFlags(command)).action(async (flags: AgentFlags) => {
    context.done(await runAgent(flags, command, context));
  });
}

function addressText({ host, port }: ListenAddress): string {
  return `${host}:${port}`;
}

/** `key=value` flags as labels. Throws WG_FLAG_INVALID. */
export function parseLabels(texts: readonly string[]): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const text of texts) {
    const [, key, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
    if (key === undefined || value === undefined) {
      throw new CodedError('WG_FLAG_INVALID', `--node-label "${text}": the form is key=value`);
    }
    labels[key] = value;
  }
  return labels;
}

/** A number of seconds as milliseconds. Throws WG_FLAG_INVALID. */
function parseSeconds(flag: string, text: string): number {
  const seconds = Number(text);
  if (text.trim() !== '' && Number.isFinite(seconds) && seconds >= 0)
    return Math.round(seconds * 1000);
  throw new CodedError(
    'WG_FLAG_INVALID',
    `${flag} "${text}": must be a number of seconds, 0 or more`,
  );
}

async function runAgent(
  flags: AgentFlags,
  command: Command,
  { streams, env }: CommandContext,
): Promise<number> {
  const listen = parseListenAddress(flags.listen);
  if (!listen.ok) throw new CodedError('WG_FLAG_INVALID', `--listen: ${listen.problem}`);
  const nodeLabels = parseLabels(flags.nodeLabel);
  const nodeName = flags.nodeName ?? env['NODE_NAME'] ?? hostname();
  const log = logOf(command, streams.interactive);
  const clock = realClock();
  const metrics = createMetrics({ version });
  const chosen = await chooseKernel(flags, { clock, log, laneEntry, servedWithinMs });
  const ended = endOfProcess();
  let running: AgentProcess | null = null;
  const observed = {
    readiness: () => readiness(running),
    groups: () => running?.agent.views() ?? [],
    metrics: async () => ({ text: await metrics.text(), contentType: metrics.contentType }),
  };
  const server = await serveObserved(listen.value, observed, log);
  try {
    await requireUsableKernel(chosen.kernel, { clock, log });
    const kubeletReadyMs = parseSeconds('--kubelet-ready-seconds', flags.kubeletReadySeconds);
    const access = await apiAccess(flags, { env, clock, log });
    const policiesPath = flags.policies ?? (access === null ? defaultPoliciesPath : null);
    const stateDir = flags.state;
    const settings = { ...flags, kubeletReadyMs, nodeLabels, policiesPath, stateDir };
    const policiesFromApi = policiesPath === null;
    const ofCluster = { nodeName, stateDir, policiesFromApi, clock, log, metrics };
    const cluster = access === null ? null : await connect({ access, ...ofCluster });
    running = await startAgent(settings, {
      kernel: observedKernel(chosen.kernel, metrics),
      clock,
      log,
      metrics,
      onCrash: ended.crash,
      cluster,
    });
    log.info('agent started', {
      node: nodeName,
      kernel: chosen.description,
      groups: running.agent.views().length,
    });
    const signal = await ended.signal;
    log.info('agent stopping', { signal });
    await running.stop();
    return 0;
  } finally {
    await server.close();
    await chosen.close();
    metrics.close();
  }
}

/** Loaded only where there is an API server: it is a good part of the program. */
async function connect(options: AgentClusterOptions): Promise<AgentCluster> {
  const { createAgentCluster } = await import('../agent-cluster.ts');
  return createAgentCluster(options);
}

function readiness(running: AgentProcess | null): readonly string[] {
  if (running === null) return ['the agent is starting'];
  return running.plugins.state().registered
    ? []
    : ['a resource is not registered with the kubelet'];
}
