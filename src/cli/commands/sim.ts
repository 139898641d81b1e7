// `wholegroup sim`: a simulated Linux as a process of its own, which outlives its agents; and a way to make
// things happen on it.
import { type Command, Option } from 'commander';
import { CodedError, errorText } from '../../base/errors.ts';
import { KernelModel } from '../../kernel/model/kernel-model.ts';
import { serveKernel } from '../../kernel/model/serve.ts';
import type { KernelProfile } from '../../kernel/model/spec.ts';
import { bundledTopologyNames } from '../../kernel/model/topology-bundled.ts';
import { connectControl } from '../../kernel/remote/remote-control.ts';
import { realClock } from '../../observe/real-clock.ts';
import { type CommandContext, logOf } from '../command-context.ts';
import { machineOf } from '../kernel-choice.ts';

interface SimFlags {
  readonly topology: string;
  readonly listen: string;
  readonly profile?: KernelProfile;
  readonly deviceRoot?: string;
}

/** Adds the command. */
export function addSimCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('sim')
    .description(
      'serve a simulated Linux on a unix socket, for agents (--kernel unix:///PATH) and for "sim do"',
    )
    .option('--listen <path>', 'socket to serve on', '/run/wholegroup/sim.sock')
    .option(
      '--topology <machine>',
      `a topology file, or one of ${bundledTopologyNames.join(', ')}`,
      'guest',
    )
    .addOption(
      new Option(
        '--profile <linux>',
        'answer as this Linux (default: what the topology says)',
      ).choices([...['legacy', '6.1', '6.12', '7.2']]),
    )
    .option('--device-root <dir>', 'folder in which stand-ins of the VFIO device nodes are made')
    .action(async (flags: SimFlags) => {
      context.done(await simulate(flags, command, context));
    });
  command
    .command('do')
    .description('make something happen on a served machine; without an operation: list them')
    .argument('<socket>', 'path of its socket')
    .argument('[operation]', 'name of the operation')
    .argument('[arguments]', 'its arguments as JSON', '{}')
    .action(async (socket: string, operation: string | undefined, given: string) => {
      context.done(await perform(socket, operation, given, context));
    });
}

async function simulate(
  flags: SimFlags,
  command: Command,
  { streams }: CommandContext,
): Promise<number> {
  const log = logOf(command, streams.interactive);
  const spec = await machineOf(flags.topology, flags.profile ?? null);
  const model = new KernelModel({ spec, clock: realClock() });
  const served = await serveKernel({
    ...{ model, log, socketPath: flags.listen },
    ...(flags.deviceRoot === undefined ? {} : { deviceRoot: flags.deviceRoot }),
  });
  streams.err(`serving ${spec.name} as Linux ${spec.profile} on unix://${served.socketPath}\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  await served.close();
  return 0;
}

async function perform(
  socket: string,
  operation: string | undefined,
  given: string,
  { streams }: CommandContext,
): Promise<number> {
  const control = await connectControl(socket, realClock());
  try {
    if (operation === undefined) {
      for (const { name, does } of await control.operations())
        streams.out(`${name.padEnd(16)} ${does}\n`);
      return 0;
    }
    const answer = await control.performNamed(operation, parseArguments(given));
    streams.out(`${JSON.stringify(answer)}\n`);
    return answer.kind === 'done' ? 0 : 1;
  } finally {
    control.close();
  }
}

function parseArguments(text: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (problem) {
    throw new CodedError('WG_FLAG_INVALID', `arguments: ${errorText(problem)}; give a JSON object`);
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
    return parsed as Readonly<Record<string, unknown>>;
  }
  throw new CodedError(
    'WG_FLAG_INVALID',
    `arguments "${text}": must be a JSON object such as {"block": "nvme0n1"}`,
  );
}
