// A cluster in which everything has settled: one node with groups in several states, a pod that has one, a controller.
// What is written from then on is written for nothing.
import { type AuditEntry, writesOf } from '../support/audit.ts';
import type { ApiServer } from '../support/api-server.ts';
import { startController } from '../controller/start-controller.ts';
import { until } from '../support/waiting.ts';
import { AgentNode, unbuilt } from './agent-node.ts';

const api = '/apis/wholegroup.dev/v1alpha1';
const account = (name: string): string => `system:serviceaccount:wholegroup-system:${name}`;
const agentUser = account('wholegroup-agent');
const controllerUser = account('wholegroup-controller');

/** Writes that were made in a time, apart from the Lease, by which a leader shows that it lives. */
export interface Written {
  readonly agent: readonly AuditEntry[];
  readonly controller: readonly AuditEntry[];
  readonly leaseUpdates: number;
  /** Requests that only read: renewed watches. */
  readonly reads: number;
}

async function post(server: ApiServer, path: string, body: object): Promise<object> {
  const answered = await server.call({ method: 'POST', path, token: server.tokens.admin, body });
  if (answered.status !== 201) throw new Error(`POST ${path}: ${JSON.stringify(answered.body)}`);
  return answered.body as object;
}

async function makePolicies(server: ApiServer): Promise<void> {
  const addresses = { nic: '0000:00:05.0', other: '0000:01:00.0' };
  for (const [name, address] of Object.entries(addresses))
    await post(server, `${api}/passthroughpolicies`, {
      ...{ apiVersion: 'wholegroup.dev/v1alpha1', kind: 'PassthroughPolicy', metadata: { name } },
      spec: { resourceName: `example.com/${name}`, devices: [{ address }] },
    });
}

/** A group that a pod has, and one that is blocked. */
async function settle(server: ApiServer, worker: AgentNode): Promise<void> {
  await makePolicies(server);
  const groups = async (field: string): Promise<string> =>
    (await server.kubectl(['get', 'ig', '-o', `jsonpath={.items[*].status.${field}}`])).stdout;
  await until('two groups', async () => (await groups('phase')) === 'WithHost WithHost');
  const namespace = 'wholegroup-system';
  const containers = [{ name: 'main', devices: { 'example.com/nic': 1 } }];
  const own = { nodeName: worker.name, serviceAccountName: 'wholegroup-agent' };
  const spec = { ...own, containers: [{ name: 'main', image: 'none' }] };
  await post(server, `/api/v1/namespaces/${namespace}/pods`, { metadata: { name: 'a' }, spec });
  worker.kubelet.createPod({ namespace, name: 'a', containers });
  await worker.control.perform('changeLink', {
    name: 'eth3',
    up: true,
    addresses: ['192.0.2.10/24'],
  });
  await until('one with the pod', async () => (await groups('phase')).includes('Assigned'));
  await until('one blocked', async () => (await groups('summary.why')).includes('InterfaceUp'), {
    limitMs: 60_000,
  });
}

/** Lets everything settle, waits, and tells what was written meanwhile. */
export async function steadyState(
  server: ApiServer,
  seconds: number,
  program: readonly string[] = unbuilt,
): Promise<Written> {
  await using worker = await AgentNode.open(server, 'worker-1', 'transcripts', program);
  await worker.startAgent();
  await using _ = await startController(server, 'controller', program);
  await settle(server, worker);
  // Statuses of policies and Events come a moment after what they tell of.
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const entries = server.audit().length;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const since = server.audit().slice(entries);
  const byController = writesOf(since, controllerUser);
  const leases = byController.filter(({ objectRef }) => objectRef?.resource === 'leases');
  return {
    agent: writesOf(since, agentUser),
    controller: byController.filter((each) => !leases.includes(each)),
    leaseUpdates: leases.length,
    reads: since.filter(
      ({ verb, user }) =>
        ['get', 'list', 'watch'].includes(verb) &&
        [agentUser, controllerUser].includes(user.username),
    ).length,
  };
}
