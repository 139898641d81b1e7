// What `helm test` runs: is the installation whole? Asks the API server alone; ends with 1 and a sentence when not.
import { readFileSync } from 'node:fs';

const account = '/var/run/secrets/kubernetes.io/serviceaccount';
const token = readFileSync(`${account}/token`, 'utf8');
const namespace = readFileSync(`${account}/namespace`, 'utf8');
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
const waitMs = 60_000;
const leaseFreshMs = 60_000;

async function get(path) {
  const answer = await fetch(`${server}${path}`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** What is not in order now, one sentence each. */
async function problems() {
  const agents = await get(`/apis/apps/v1/namespaces/${namespace}/daemonsets/wholegroup-agent`);
  const { items } = await get('/apis/wholegroup.dev/v1alpha1/passthroughnodes');
  const lease = await get(
    `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/wholegroup-controller`,
  );
  const found = [];
  const wanted = agents.status.desiredNumberScheduled;
  const ready = agents.status.numberReady ?? 0;
  if (wanted === 0) found.push('no node is to have an agent: see agent.nodeSelector');
  if (ready < wanted) found.push(`${wanted - ready} of ${wanted} agents are not ready`);
  if (items.length < ready) found.push(`${ready} agents, and ${items.length} PassthroughNodes`);
  const conditionOf = (node, type) => node.status?.conditions?.find((each) => each.type === type);
  for (const node of items) {
    const condition = conditionOf(node, 'Ready');
    const says = condition?.status === 'True' ? 'ready' : (condition?.message ?? 'no status');
    console.log(`${node.metadata.name}: ${says}`);
  }
  const usable = items.filter((node) => conditionOf(node, 'Ready')?.status === 'True');
  if (usable.length === 0) found.push('no node can hand out devices');
  const age = Date.now() - Date.parse(lease.spec.renewTime ?? 0);
  if (!(age < leaseFreshMs)) found.push('no controller leads');
  return found;
}

const endMs = Date.now() + waitMs;
for (;;) {
  const found = await problems().catch((problem) => [String(problem)]);
  if (found.length === 0) break;
  if (Date.now() >= endMs) {
    for (const problem of found) console.error(problem);
    process.exit(1);
  }
  await new Promise((resolve) => setTimeout(resolve, 2000));
}
console.log('wholegroup is installed and whole');
