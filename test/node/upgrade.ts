// The release with other values, as somebody who operates it sets them.
import { preparedInstall } from '../cluster/harness/product.ts';
import { chartArguments, helm } from '../cluster/stage/install.ts';
import { productNamespace } from '../cluster/stage/stage.ts';
import { usualMs } from '../cluster/stage/wait.ts';
import type { NodeStage } from './node-stage.ts';
import { shares } from './open.ts';

/** Upgrades the release to the usual values and these; returns when the agent that has them is ready. */
export async function upgrade(at: NodeStage, set: readonly string[]): Promise<void> {
  const { cluster } = at.stage;
  const args = chartArguments(cluster, { ownKernels: true, set: [...shares, ...set] });
  await helm(cluster, await preparedInstall(), ['upgrade', ...args]);
  const agents = ['rollout', 'status', 'daemonset/wholegroup-agent', '-n', productNamespace];
  await at.stage.kubectl(...agents, `--timeout=${usualMs / 1000}s`);
}
