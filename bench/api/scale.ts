// The controller on a large cluster: real objects of 5000 nodes with 8 groups each, made here. Its memory, and whether
// a change of one group costs more there than on a small cluster.
import {
  type RunningController,
  startController,
} from '../../test/api/controller/start-controller.ts';
import type { ApiServer } from '../../test/api/support/api-server.ts';
import { processorMs, residentMb } from '../children.ts';
import { type Bench, type Measure, pause } from '../measure.ts';
import { Crowd, groupsOfNode } from './crowd.ts';
import { bundled } from '../bundled.ts';
import { benchServer } from './stage.ts';

interface Cost {
  readonly rssMb: number;
  /** Processor time of the controller for one change of a group. */
  readonly usOfChange: number;
}

/** Requests of the informers and of the writer, until nothing moves any more. */
async function quiet(controller: RunningController): Promise<void> {
  let before = -1;
  for (;;) {
    const used = processorMs(controller.process.pid);
    if (used - before < 20) return;
    before = used;
    await pause(1000);
  }
}

/** What `changes` of groups cost: the status of one after the other goes to and fro between offered and blocked. */
async function costOf(
  server: ApiServer,
  crowd: Crowd,
  { nodes, changes }: { readonly nodes: number; readonly changes: number },
): Promise<Cost> {
  await using controller = await startController(server, `controller-${nodes}`, bundled());
  await quiet(controller);
  const { pid } = controller.process;
  const before = processorMs(pid);
  const rss = [residentMb(pid)];
  await crowd.change(changes, nodes);
  await quiet(controller);
  const spent = processorMs(pid) - before;
  rss.push(residentMb(pid));
  return { rssMb: Math.max(...rss), usOfChange: (spent * 1000) / changes };
}

async function makePolicies(server: ApiServer): Promise<void> {
  for (const name of ['gpu', 'nic']) {
    const body = {
      ...{ apiVersion: 'wholegroup.dev/v1alpha1', kind: 'PassthroughPolicy', metadata: { name } },
      spec: { resourceName: `bench.example.com/${name}`, devices: [{ vendor: '10de' }] },
    };
    const path = '/apis/wholegroup.dev/v1alpha1/passthroughpolicies';
    await server.call({ method: 'POST', path, token: server.tokens.admin, body });
  }
}

/** True when the controller has counted every group; read from the policy itself. */
async function counted(server: ApiServer): Promise<number> {
  const { stdout } = await server.kubectl([
    'get',
    'ptp',
    'gpu',
    '-o',
    'jsonpath={.status.groups.matched}',
  ]);
  return Number(stdout);
}

/** The bench. */
export const apiScale: Bench = {
  name: 'api-scale',
  about: 'the controller at 5000 nodes with 8 groups each, as objects of a real API server',
  onlyByName: true,
  run: async ({ quick, say }) => {
    await using stack = new AsyncDisposableStack();
    const server = await benchServer(stack);
    await using crowd = new Crowd(server);
    await makePolicies(server);
    const [few, many] = quick ? [10, 200] : [50, 5000];
    const changes = quick ? 200 : 2000;
    await crowd.grow(few, say);
    const small = await costOf(server, crowd, { nodes: few, changes });
    await crowd.grow(many, say);
    const large = await costOf(server, crowd, { nodes: many, changes });
    const matched = await counted(server);
    if (matched !== (many * groupsOfNode) / 2) throw new Error(`the controller counted ${matched}`);
    const how = `${many} nodes, ${many * groupsOfNode} groups, ${changes} changes`;
    return [
      memory(large, how),
      {
        ...{ name: 'controller, one change of a group', unit: 'µs', value: large.usOfChange, how },
        floor: { what: `with ${few} nodes`, value: small.usOfChange },
        target: { of: 'ratio', max: 1.5 },
      },
    ];
  },
};

function memory({ rssMb }: Cost, how: string): Measure {
  return {
    ...{ name: 'controller RSS', unit: 'MB', value: rssMb, floor: null, how },
    target: { of: 'value', max: 300 },
  };
}
