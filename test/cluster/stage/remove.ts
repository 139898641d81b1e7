// Takes wholegroup out of a cluster that others will use: pods first, then policies, so that everything goes back to the
// host while agents are there, then the release and what it leaves behind, as docs/operations.md says.
import assert from 'node:assert/strict';
import type { AnyCluster } from '../harness/any-cluster.ts';
import { productNamespace } from './stage.ts';

const workloads = 'jobs.batch,statefulsets.apps,pods';

/** Removes all of it; `helm` calls helm. Fails where something does not go. */
export async function removeInstall(
  { api, nodes }: AnyCluster,
  helm: (args: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const kubectl = async (...args: string[]): Promise<void> => {
    const { status, stderr } = await api.kubectl(args);
    assert.equal(status, 0, `kubectl ${args.join(' ')}: ${stderr}`);
  };
  await kubectl('delete', workloads, '--all', '--wait', '--timeout=120s');
  await kubectl('delete', 'ptp', '--all', '--wait', '--timeout=60s');
  const inNamespace = ['--namespace', productNamespace];
  await helm(['uninstall', 'wholegroup', ...inNamespace, '--wait']);
  await kubectl('delete', 'crd', '-l', 'app.kubernetes.io/name=wholegroup', '--timeout=60s');
  await kubectl('delete', 'namespace', productNamespace, '--wait', '--timeout=120s');
  for (const node of nodes) await node.run(['rm', '-rf', '/var/lib/wholegroup', '/run/wholegroup']);
}
