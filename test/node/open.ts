// From nothing to a node with wholegroup on it: the control plane outside, the guest, the chart, the policies.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { startCluster } from '../cluster/harness/cluster.ts';
import { preparedInstall } from '../cluster/harness/product.ts';
import { installOn } from '../cluster/stage/install.ts';
import type { Node } from '../cluster/stage/objects.ts';
import { until } from '../cluster/stage/wait.ts';
import { policiesText } from '../kernel/guest/flow/groups.ts';
import { shapes } from '../kernel/rig/shapes.ts';
import { GuestNode, type NodeParts } from './guest-node.ts';
import { NodeStage } from './node-stage.ts';
import { nodeName } from './node-root.ts';

type Tell = (line: string) => void;

/** What a run brings. */
export interface OpenOptions {
  readonly parts: NodeParts;
  readonly tell: Tell;
}

async function ready(stage: NodeStage): Promise<void> {
  const looks = async (): Promise<true | null> => {
    const node = await stage.stage.get<Node>(`/api/v1/nodes/${nodeName}`);
    const conditions = node?.status.conditions ?? [];
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'True') || null;
  };
  const tell = async (): Promise<string> =>
    await stage.guest.say('tail -n 20 /var/log/kubelet.log');
  await until('the node is ready', looks, { tell });
}

/** Folder in which logs of a node are kept when something fails. */
export function keptFolder({ rig, kernel }: NodeParts): string {
  const runs = join(rig.cache, 'runs');
  mkdirSync(runs, { recursive: true });
  return join(runs, `node-${kernel.name}-${process.pid}-${Math.round(performance.now())}`);
}

/**
 * Shares of the processor as somebody asks for who knows that his node is slow: with the chart's own, which are for nodes
 * with processors to spare, everything else on the only one comes first.
 */
export const shares = [
  'agent.resources.requests.cpu=400m',
  'controller.resources.requests.cpu=100m',
];

async function setUp(stage: NodeStage, authority: string, tell: Tell): Promise<void> {
  tell(`the guest answers; its own clock says ${stage.guest.bootSeconds} s`);
  await stage.guest.join(authority);
  await ready(stage);
  tell('the node is ready');
  const offered = parseAllDocuments(policiesText()).map((each) => each.toJS() as object);
  await installOn(stage.stage, { ownKernels: true, offered, set: shares });
  tell('agent and controller are ready');
}

/** Opens one, and keeps its logs when that fails. */
export async function openNode(options: OpenOptions): Promise<NodeStage> {
  const { parts } = options;
  const startedMs = performance.now();
  const tell: Tell = (line) =>
    options.tell(`${((performance.now() - startedMs) / 1000).toFixed(1)} s: ${line}`);
  const { images } = await preparedInstall();
  // Side by side: either has a core.
  const [cluster, guest] = await Promise.all([
    startCluster({ nodes: 0, elsewhere: [nodeName], images }),
    GuestNode.boot(parts, shapes.node),
  ]);
  const stage = new NodeStage(cluster, guest);
  try {
    await setUp(stage, cluster.api.caFile, tell);
    return stage;
  } catch (thrown) {
    const folder = keptFolder(parts);
    await guest.keep(folder);
    await stage[Symbol.asyncDispose]();
    throw new Error(`no node came up; logs are in ${folder}`, { cause: thrown });
  }
}
