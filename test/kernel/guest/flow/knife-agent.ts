// The node agent as `wholegroup agent` makes it, but for its kernel, which is under the knife.
import { createMetrics } from '../../../../src/observe/metrics.ts';
import { serveObserved } from '../../../../src/observe/http-server.ts';
import { createLog } from '../../../../src/observe/log.ts';
import { realClock } from '../../../../src/observe/real-clock.ts';
import { type AgentProcess, startAgent } from '../../../../src/cli/agent-process.ts';
import { LinuxKernel } from '../../../../src/kernel/linux/linux-kernel.ts';
import { KnifeKernel } from './knife.ts';
import type { AgentPlaces } from './places.ts';

const places = JSON.parse(process.argv[2] ?? '') as AgentPlaces;
const clock = realClock();
const log = createLog({ level: 'info', destination: 2 });
const metrics = createMetrics({ version: 'knife' });
const laneEntry = '/opt/wholegroup/lane-child.js';
const kernel = new LinuxKernel({ clock, log, laneEntry });
let running: AgentProcess | null = null;

process.on('SIGTERM', () => {
  void running?.stop().then(() => process.exit(0));
});

const server = await serveObserved(
  { host: '127.0.0.1', port: places.port },
  {
    readiness: () => (running?.plugins.state().registered === true ? [] : ['not registered']),
    groups: () => running?.agent.views() ?? [],
    metrics: async () => ({ text: await metrics.text(), contentType: metrics.contentType }),
  },
  log,
);
running = await startAgent(
  {
    nodeLabels: {},
    policiesPath: places.policies,
    stateDir: places.stateDir,
    kubeletDir: places.kubeletDir,
    cdiDir: places.cdiDir,
    delivery: 'cdi',
    deviceRoot: '',
    kubeletReadyMs: places.kubeletReadySeconds * 1000,
  },
  {
    kernel: new KnifeKernel(kernel),
    clock,
    log,
    metrics,
    cluster: null,
    onCrash: (problem) => {
      process.stderr.write(`${String(problem)}\n`);
      process.exit(1);
    },
  },
);
log.info('agent started', { node: 'guest', kernel: 'Linux', groups: server.address.port });
