// Tokens as pods have them: real ones of the TokenRequest API, bound to a pod, with the claim of the pod's node. What
// such a token needs (namespace, service account, Node, Pod) is made where it is missing.
import assert from 'node:assert/strict';
import type { ApiAnswer, ApiCall } from './api-call.ts';

/** Whose token: a service account, and the node that its pod runs on (none: the token has no node name claim). */
export interface Workload {
  readonly serviceAccount: string;
  /** wholegroup-system unless said. */
  readonly namespace?: string;
  readonly node?: string;
}

type Call = (request: Omit<ApiCall, 'token'>) => Promise<ApiAnswer>;

/** Creates an object, or finds it there. */
async function ensure(call: Call, path: string, body: object): Promise<void> {
  const { status, body: said } = await call({ method: 'POST', path, body });
  assert([201, 409].includes(status), `POST ${path}: ${status} ${JSON.stringify(said)}`);
}

function podBody(name: string, serviceAccount: string, node: string): object {
  return {
    metadata: { name },
    spec: {
      nodeName: node,
      serviceAccountName: serviceAccount,
      containers: [{ name: 'main', image: 'none' }],
    },
  };
}

/** The token; an assertion tells what the server refused on the way to it. */
export async function tokenRequests(call: Call, workload: Workload): Promise<string> {
  const { serviceAccount, namespace = 'wholegroup-system', node } = workload;
  const inNamespace = `/api/v1/namespaces/${namespace}`;
  await ensure(call, '/api/v1/namespaces', { metadata: { name: namespace } });
  await ensure(call, `${inNamespace}/serviceaccounts`, { metadata: { name: serviceAccount } });
  let boundObjectRef: object | undefined;
  if (node !== undefined) {
    await ensure(call, '/api/v1/nodes', { metadata: { name: node } });
    const name = `${serviceAccount}-${node}`;
    await ensure(call, `${inNamespace}/pods`, podBody(name, serviceAccount, node));
    boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name };
  }
  const { status, body } = await call({
    method: 'POST',
    path: `${inNamespace}/serviceaccounts/${serviceAccount}/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 3600, ...(boundObjectRef && { boundObjectRef }) },
    },
  });
  assert.equal(status, 201, `token of ${serviceAccount}: ${JSON.stringify(body)}`);
  return (body as { status: { token: string } }).status.token;
}
