// `wholegroup agent`: its flags, and the kernel that they choose. The rest of the agent is loaded while a lane of the
// kernel comes up: both take Node a while.
import { hostname } from 'node:os';
import { type Command, Option } from 'commander';
import { CodedError } from '../../base/errors.ts';
import {
  defaultListenAddress,
  type ListenAddress,
  parseListenAddress,
} from '../../observe/listen-address.ts';
import { realClock } from '../../observe/real-clock.ts';
import { addApiFlags } from '../api-access.ts';
import { addKernelFlags, type CommandContext, logOf } from '../command-context.ts';
import { chooseKernel } from '../kernel-choice.ts';
import { defaultPoliciesPath, laneEntry } from '../places.ts';
import type { AgentFlags } from '../run-agent.ts';

/** A simulated kernel and its agent may be started together, as by a cluster. */
const servedWithinMs = 30_000;

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
    context.done(await begin(flags, command, context));
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

async function begin(
  flags: AgentFlags,
  command: Command,
  { streams, env }: CommandContext,
): Promise<number> {
  const listen = parseListenAddress(flags.listen);
  if (!listen.ok) throw new CodedError('WG_FLAG_INVALID', `--listen: ${listen.problem}`);
  const wanted = {
    listen: listen.value,
    nodeLabels: parseLabels(flags.nodeLabel),
    nodeName: flags.nodeName ?? env['NODE_NAME'] ?? hostname(),
    kubeletReadyMs: parseSeconds('--kubelet-ready-seconds', flags.kubeletReadySeconds),
  };
  const log = logOf(command, streams.interactive);
  const clock = realClock();
  const chosen = await chooseKernel(flags, { clock, log, laneEntry, servedWithinMs, warm: true });
  try {
    const { runAgent } = await import('../run-agent.ts');
    return await runAgent({ ...flags, ...wanted }, { chosen, clock, log, env });
  } finally {
    await chosen.close();
  }
}
