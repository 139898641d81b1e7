// `wholegroup controller`: the loop of the whole cluster as a process. Several may run; one of them leads.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { CodedError } from '../../base/errors.ts';
import { createMetrics } from '../../observe/metrics.ts';
import { defaultListenAddress, parseListenAddress } from '../../observe/listen-address.ts';
import { serveObserved } from '../../observe/http-server.ts';
import { realClock } from '../../observe/real-clock.ts';
import { addApiFlags, apiAccess, type ApiFlags } from '../api-access.ts';
import { type CommandContext, logOf } from '../command-context.ts';
import { endOfProcess } from '../end-of-process.ts';
import { startController } from '../controller-process.ts';
import { version } from '../version.ts';

interface ControllerFlags extends ApiFlags {
  readonly leaseNamespace?: string;
  readonly listen: string;
}

/** Adds the command. */
export function addControllerCommand(program: Command, context: CommandContext): void {
  const { host, port } = defaultListenAddress;
  const command = program
    .command('controller')
    .description('status of policies, and objects of nodes that are gone, for the whole cluster')
    .option('--lease-namespace <name>', 'namespace of the Lease (default: that of the pod)')
    .option(
      '--listen <address>',
      'where to serve /healthz, /readyz and /metrics',
      `${host}:${port}`,
    );
  addApiFlags(command).action(async (flags: ControllerFlags) => {
    context.done(await runController(flags, command, context));
  });
}

async function runController(
  flags: ControllerFlags,
  command: Command,
  { streams, env }: CommandContext,
): Promise<number> {
  const listen = parseListenAddress(flags.listen);
  if (!listen.ok) throw new CodedError('WG_FLAG_INVALID', `--listen: ${listen.problem}`);
  const log = logOf(command, streams.interactive);
  const clock = realClock();
  const access = await apiAccess(flags, { env, clock, log });
  if (access === null) {
    throw new CodedError(
      'WG_FLAG_INVALID',
      'the controller needs an API server: run it in a pod, or with --kubeconfig',
    );
  }
  const metrics = createMetrics({ version });
  const ended = endOfProcess();
  const identity = `${env['POD_NAME'] ?? hostname()}_${randomUUID()}`;
  const namespace = flags.leaseNamespace ?? access.namespace;
  const controller = startController({ access, clock, log, metrics, identity, namespace });
  const observed = {
    readiness: () => (controller.synced() ? [] : ['the API server has not been heard yet']),
    groups: () => [],
    metrics: async () => ({ text: await metrics.text(), contentType: metrics.contentType }),
  };
  const server = await serveObserved(listen.value, observed, log);
  try {
    log.info('controller started', { identity, namespace });
    const why = await Promise.race([ended.signal, controller.lost]);
    log.info('controller stopping', { signal: why });
    await controller.stop();
    // Whoever lost the lease starts again as nobody: what it knew may be old.
    return why === 'lease lost' ? 1 : 0;
  } finally {
    await server.close();
    metrics.close();
  }
}
