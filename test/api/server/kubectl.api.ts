// What people see of the custom resources in kubectl: tables, explanations, waiting. Golden files hold the output of the
// real kubectl; WHOLEGROUP_UPDATE_GOLDEN=1 writes them anew.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { assignedGroup, blockedGroup, nodeObject } from '../objects/group-objects.ts';
import { withSpec } from '../objects/policy-objects.ts';
import { mergePatch } from '../support/api-call.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';

const api = '/apis/wholegroup.dev/v1alpha1';
const golden = join(import.meta.dirname, 'golden');

const policy = (name: string, resourceName: string): object => ({
  ...withSpec({ resourceName, devices: [{ vendor: '10de' }] }),
  metadata: { name },
});

const counts = { matched: 2, offered: 1, assigned: 1, blocked: 1, faulted: 0 };
const ready = {
  type: 'Ready',
  status: 'True',
  reason: 'InForce',
  message: 'in force on 1 node',
  lastTransitionTime: '2026-11-23T05:17:08Z',
};

type Body = { readonly kind: string; readonly metadata: { readonly name: string } };

const plurals: Readonly<Record<string, string>> = {
  PassthroughPolicy: 'passthroughpolicies',
  IOMMUGroup: 'iommugroups',
  PassthroughNode: 'passthroughnodes',
};

let server: ApiServer;

async function make(object: object): Promise<void> {
  const { kind, metadata } = object as Body;
  const path = `${api}/${plurals[kind]}`;
  const token = server.tokens.admin;
  const { status, ...rest } = object as { status?: object };
  const made = await server.call({ method: 'POST', path, token, body: rest });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  if (status === undefined) return;
  const call = { method: 'PATCH', path: `${path}/${metadata.name}/status`, token } as const;
  const written = await server.call({ ...call, contentType: mergePatch, body: { status } });
  assert.equal(written.status, 200, JSON.stringify(written.body));
}

before(async () => {
  server = await startApiServer();
  await server.applyDefinitions();
  const status = { observedGeneration: 1, groups: counts, conditions: [ready] };
  await make({ ...policy('a40', 'nvidia.com/GA102GL_A40'), status });
  await make(policy('nics', 'example.com/nic'));
  for (const object of [assignedGroup, blockedGroup, nodeObject]) await make(object);
  await make({ ...nodeObject, metadata: { name: 'worker-2' }, status: undefined });
});
after(async () => await server[Symbol.asyncDispose]());

/** The output of kubectl, with what differs from run to run taken out. */
async function kubectl(...args: string[]): Promise<string> {
  const run = await server.kubectl(args);
  assert.equal(run.status, 0, run.stderr);
  assert.equal(run.stderr, '');
  return run.stdout.replaceAll(/ \d+m?\d*s$/gm, ' AGE');
}

function compare(name: string, text: string): void {
  const path = join(golden, `${name}.txt`);
  if (process.env['WHOLEGROUP_UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  assert.equal(text, readFileSync(path, 'utf8'));
}

const tables: Record<string, readonly string[]> = {
  'get-ptp': ['get', 'ptp'],
  'get-ptp-wide': ['get', 'ptp', '-o', 'wide'],
  'get-ig': ['get', 'ig'],
  'get-ig-wide': ['get', 'ig', '-o', 'wide'],
  'get-ptn': ['get', 'ptn'],
  'get-ptn-wide': ['get', 'ptn', '-o', 'wide'],
  'get-all-of-the-category': ['get', 'wholegroup'],
  'get-ig-of-a-node': [
    'get',
    'ig',
    '--field-selector=status.nodeName=worker-1,status.phase=Assigned',
  ],
  'get-ig-by-label': ['get', 'ig', '-l', 'wholegroup.dev/node=worker-1', '-o', 'name'],
  'get-ptp-of-a-resource': ['get', 'ptp', '--field-selector=spec.resourceName=example.com/nic'],
  'explain-ptp': ['explain', 'ptp'],
  'explain-ptp-spec': ['explain', 'ptp.spec'],
  'explain-ptp-devices': ['explain', 'ptp.spec.devices'],
  'explain-ig-status': ['explain', 'ig.status'],
  'explain-ig-blockers': ['explain', 'ig.status.blockers'],
  'explain-ig-tree': ['explain', 'ig', '--recursive'],
  'explain-ptn-status': ['explain', 'ptn.status'],
};

for (const [name, args] of Object.entries(tables)) {
  test(`kubectl ${args.join(' ')} prints what it is known to print`, async () => {
    compare(name, await kubectl(...args));
  });
}

const header = (text: string): string[] =>
  text
    .split('\n')[0]
    ?.split(/ {2,}|\s+$/)
    .filter(Boolean) ?? [];

test('the columns are those that the documentation names', async () => {
  const words = async (kind: string): Promise<string> =>
    header(await kubectl('get', kind)).join(' ');
  assert.equal(await words('ptp'), 'NAME RESOURCE MATCHED OFFERED ASSIGNED BLOCKED READY AGE');
  assert.equal(
    await words('ig'),
    'NAME NODE GROUP DEVICES OWNER PHASE RESOURCE RELEASABLE WHY POD AGE',
  );
  assert.equal(await words('ptn'), 'NAME IOMMU KERNEL GROUPS OFFERED ASSIGNED BLOCKED READY AGE');
});

test('no field is without a description', async () => {
  for (const kind of ['ptp', 'ig', 'ptn']) {
    const fields = [...(await kubectl('explain', kind, '--recursive')).matchAll(/^ +(\w+)\t/gm)];
    assert(fields.length > 5, kind);
    for (const top of ['spec', 'status'].filter((each) => kind !== 'ptn' || each === 'status')) {
      assert.doesNotMatch(await kubectl('explain', `${kind}.${top}`), /<no description>/);
    }
  }
});

test('kubectl wait returns when a condition holds, and tells when it does not', async () => {
  assert.equal(
    await kubectl('wait', '--for=condition=Ready', 'ptp/a40', '--timeout=5s'),
    'passthroughpolicy.wholegroup.dev/a40 condition met\n',
  );
  await kubectl('wait', '--for=condition=Releasable=False', `ig/${blockedGroup.metadata.name}`);
  await kubectl(
    'wait',
    '--for=jsonpath={.status.phase}=Assigned',
    `ig/${assignedGroup.metadata.name}`,
  );
  const never = await server.kubectl(['wait', '--for=condition=Ready', 'ptp/nics', '--timeout=1s']);
  assert.equal(never.status, 1);
  assert.match(never.stderr, /timed out waiting for the condition on passthroughpolicies\/nics/);
});

test('kubectl wait sees a condition that comes to hold while it waits', async () => {
  const waiting = kubectl('wait', '--for=condition=Ready', 'ptp/nics', '--timeout=20s');
  const path = `${api}/passthroughpolicies/nics/status`;
  const body = { status: { observedGeneration: 1, groups: counts, conditions: [ready] } };
  const call = { method: 'PATCH', path, token: server.tokens.admin } as const;
  await server.call({ ...call, contentType: mergePatch, body });
  assert.match(await waiting, /condition met/);
});

test('kubectl apply tells a mistyped field, and prints what is wrong in words', async () => {
  const apply = async (object: object): Promise<string> => {
    const run = await server.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
    assert.equal(run.status, 1);
    return run.stderr;
  };
  assert.match(await apply(withSpec({ recourse: 1 })), /unknown field "spec\.recourse"/);
  assert.match(
    await apply(withSpec({ devices: [{ vendor: '0x10de' }] })),
    /must be a PCI vendor id: four lower-case hex digits without 0x, in quotes, for example "10de"/,
  );
});
