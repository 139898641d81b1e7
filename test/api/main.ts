// `npm run api-server -- [NODE ...]`: a real API server to try things with, until Ctrl-C: definitions, roles and admission
// policies applied, a kubeconfig for the administrator and one for the agent of each node that is named.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApiServer } from './support/api-server.ts';

const nodes = process.argv.slice(2);
const strange = nodes.find((name) => !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name));
if (strange !== undefined) {
  console.error(`"${strange}" is not a name of a node: lower-case letters, digits, "-" and "."`);
  process.exit(64);
}

const stopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
});

console.error('starting etcd and kube-apiserver ...');
await using server = await startApiServer();
await server.applyDefinitions();
for (const path of ['deploy/namespace.yaml', 'deploy/rbac', 'deploy/admission'])
  await server.apply(path);

// kubectl by its name, in a folder that can stand in PATH without the other programs.
const programs = mkdtempSync(join(tmpdir(), 'wholegroup-bin-'));
symlinkSync(server.kubectlPath, join(programs, 'kubectl'));

console.log(`export PATH=${programs}:$PATH`);
console.log(`export KUBECONFIG=${server.kubeconfig}    # the administrator, at ${server.url}`);
for (const node of nodes) {
  const token = await server.tokenFor({ serviceAccount: 'wholegroup-agent', node });
  console.log(`# agent of ${node}: --kubeconfig ${server.kubeconfigFor(token)}`);
}
console.error('running until Ctrl-C');
await stopped;
rmSync(programs, { recursive: true });
