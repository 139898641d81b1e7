// From a change on the host to a person's screen: something happens to the simulated kernel, `kubectl get ig -w` says so.
import { spawn } from 'node:child_process';
import { connectKernel } from '../../src/kernel/remote/remote-kernel.ts';
import { realClock } from '../../src/observe/real-clock.ts';
import { AgentNode } from '../../test/api/agent/agent-node.ts';
import type { ApiServer } from '../../test/api/support/api-server.ts';
import { until as awaited } from '../../test/api/support/waiting.ts';
import { type Bench, type Measure, median, pause, percentile, until } from '../measure.ts';
import { bundled } from '../bundled.ts';
import { benchServer } from './stage.ts';

const api = '/apis/wholegroup.dev/v1alpha1';
const member = '0000:00:05.1';

/** The last line of `kubectl get ig -w` about the group: the driver of its second member, what keeps it. */
interface Screen extends AsyncDisposable {
  line(): string;
}

function watchGroup(server: ApiServer, name: string): Screen {
  const form = 'custom-columns=DRIVER:.status.members[1].driver,WHY:.status.summary.why';
  const args = [`--kubeconfig=${server.kubeconfig}`, 'get', 'ig', name, '-w', '--no-headers'];
  const child = spawn(server.kubectlPath, [...args, '-o', form], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  return {
    line: () => text.split('\n').at(-2) ?? '',
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await ended;
    },
  };
}

/** A change that goes to and fro. */
interface Change {
  readonly name: string;
  readonly make: (there: boolean) => Promise<unknown>;
  readonly shows: (line: string, there: boolean) => boolean;
  readonly judged: boolean;
}

async function measured(change: Change, screen: Screen, count: number): Promise<Measure> {
  const samples: number[] = [];
  for (let index = 0; index < count; index++) {
    const there = index % 2 === 0;
    const startedMs = performance.now();
    await change.make(there);
    await until('it is on the screen', () => change.shows(screen.line(), there), 20_000);
    samples.push(performance.now() - startedMs);
    // Not in step with any poll.
    await pause(300 + ((index * 137) % 900));
  }
  const most = Math.max(...samples).toFixed(0);
  return {
    ...{ name: `${change.name} to kubectl get ig -w, p99`, unit: 'ms', floor: null },
    value: percentile(samples, 0.99),
    target: change.judged ? { of: 'value', max: 500 } : null,
    how: `${count} changes: p50 ${median(samples).toFixed(0)} ms, most ${most} ms`,
  };
}

/** A driver goes and comes: the kernel says so (a uevent). An address comes and goes: only a look at the host tells. */
function changes(worker: AgentNode, write: (path: string) => Promise<unknown>): Change[] {
  return [
    {
      name: 'driver of a member',
      make: (there) => write(`/sys/bus/pci/drivers/e1000/${there ? 'unbind' : 'bind'}`),
      shows: (line, there) => line.startsWith('<none>') === there,
      judged: true,
    },
    {
      name: 'address of a member (found by the poll of 1 s)',
      make: (there) =>
        worker.control.perform('changeLink', {
          ...{ name: 'eth1', up: there },
          addresses: there ? ['192.0.2.9/24'] : [],
        }),
      shows: (line, there) => line.includes('InterfaceUp') === there,
      judged: false,
    },
  ];
}

async function offeredGroup(server: ApiServer): Promise<string> {
  const body = {
    ...{ apiVersion: 'wholegroup.dev/v1alpha1', kind: 'PassthroughPolicy' },
    metadata: { name: 'nic' },
    spec: { resourceName: 'example.com/nic', devices: [{ address: '0000:00:05.0' }] },
  };
  const path = `${api}/passthroughpolicies`;
  await server.call({ method: 'POST', path, token: server.tokens.admin, body });
  const name = 'worker-1-0000-00-05-0';
  await awaited('the group', async () => (await server.kubectl(['get', 'ig', name])).status === 0);
  return name;
}

/** The bench. */
export const apiWatch: Bench = {
  name: 'api-watch',
  about: 'from a change on the simulated host to `kubectl get ig -w`',
  onlyByName: true,
  run: async ({ quick, say }) => {
    await using stack = new AsyncDisposableStack();
    const server = await benchServer(stack);
    const worker = stack.use(await AgentNode.open(server, 'worker-1', 'transcripts', bundled()));
    await worker.startAgent();
    const kernel = await connectKernel(worker.kernelSocket, realClock());
    stack.defer(() => kernel.close());
    const screen = stack.use(watchGroup(server, await offeredGroup(server)));
    await until('it is on the screen', () => screen.line().includes('e1000'), 20_000);
    const measures: Measure[] = [];
    for (const change of changes(worker, (path) => kernel.write(path, member))) {
      // A p99 that is judged wants many; the poll takes a second each time.
      const count = quick ? 20 : change.judged ? 200 : 40;
      say(`api-watch: ${count} times ${change.name}`);
      measures.push(await measured(change, screen, count));
    }
    return measures;
  },
};
