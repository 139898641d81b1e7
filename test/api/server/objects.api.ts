// The tables of good and bad objects against a real API server: it takes and refuses the same as the agent's schemas,
// for the same reasons, and fills in the same defaults.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type * as z from 'zod';
import { groupObjectSchema } from '../../../src/api/iommu-group.ts';
import { nodeObjectSchema } from '../../../src/api/passthrough-node.ts';
import { policyObjectSchema } from '../../../src/api/passthrough-policy.ts';
import { judgedPolicy } from '../../../src/api/policy-in-force.ts';
import { badPolicies } from '../objects/bad-policies.ts';
import { badSelectors } from '../objects/bad-selectors.ts';
import { goodPolicies } from '../objects/good-policies.ts';
import { badObjects, goodObjects } from '../objects/group-objects.ts';
import { mergePatch } from '../support/api-call.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { agentReasons, differences, serverReasons } from './reasons.ts';

let server: ApiServer;
before(async () => {
  server = await startApiServer();
  await server.applyDefinitions();
});
after(async () => await server[Symbol.asyncDispose]());

interface KindOfObject {
  readonly plural: string;
  readonly schema: z.ZodType;
}

const kinds: Readonly<Record<string, KindOfObject>> = {
  PassthroughPolicy: { plural: 'passthroughpolicies', schema: policyObjectSchema },
  IOMMUGroup: { plural: 'iommugroups', schema: groupObjectSchema },
  PassthroughNode: { plural: 'passthroughnodes', schema: nodeObjectSchema },
};

const policies = '/apis/wholegroup.dev/v1alpha1/passthroughpolicies';
const strictly = 'fieldValidation=Strict&dryRun=All';

/** What only a server sets in metadata. */
const unset = { uid: undefined, resourceVersion: undefined, managedFields: undefined };

/** A dry run with everything that a user's kubectl apply asks for. */
async function created(object: unknown): ReturnType<ApiServer['call']> {
  const kind = kinds[(object as { kind?: string } | null)?.kind ?? ''];
  const path = kind === undefined ? policies : policies.replace(/[a-z]+$/, kind.plural);
  const call = { method: 'POST', path: `${path}?${strictly}`, token: server.tokens.admin } as const;
  return await server.call({ ...call, body: object });
}

type Body = { readonly metadata: { readonly name: string }; readonly spec: unknown };

for (const [sentence, [object]] of Object.entries(goodPolicies)) {
  test(`the API server takes a policy: ${sentence}`, async () => {
    const { metadata, spec } = object as Body;
    // What only a server sets is refused in an object that is to be made.
    const { status: _, ...rest } = object as { status?: unknown };
    const fresh = { ...rest, metadata: { ...metadata, ...unset }, spec };
    const answer = await created(fresh);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    const known = judgedPolicy(fresh).data?.spec ?? 'refused by the agent';
    assert.deepEqual((answer.body as Body).spec, JSON.parse(JSON.stringify(known)), 'the defaults');
  });
}

const none = { onlyAgent: [], onlyServer: [] };

/** Problems that the server has no fields for: the object as such. */
const wholes = new Set(['apiVersion', 'kind', 'metadata', '']);

for (const [sentence, [object, field]] of Object.entries({ ...badPolicies, ...badSelectors })) {
  test(`the API server refuses a policy: ${sentence}`, async () => {
    const answer = await created(object);
    assert(answer.status >= 400 && answer.status < 500, JSON.stringify(answer.body));
    const parsed = judgedPolicy(object as object);
    assert(parsed.error !== undefined);
    if (wholes.has(field) || field.startsWith('metadata.')) return;
    assert.deepEqual(differences(agentReasons(parsed.error), serverReasons(answer)), none);
  });
}

/** Makes the object without its status, then writes the status: the way an agent goes. */
async function withStatus(
  object: Body & { readonly status?: object },
): ReturnType<ApiServer['call']> {
  const { plural = '' } = kinds[(object as unknown as { kind: string }).kind] ?? {};
  const path = policies.replace(/[a-z]+$/, plural);
  const token = server.tokens.admin;
  const { name } = object.metadata;
  await server.call({ method: 'DELETE', path: `${path}/${name}`, token });
  const first = await created(object);
  if (first.status !== 201) return first;
  const { status, ...rest } = object;
  await server.call({ method: 'POST', path, token, body: rest });
  return await server.call({
    ...{ method: 'PATCH', path: `${path}/${name}/status?${strictly}`, token },
    ...{ contentType: mergePatch, body: { status } },
  });
}

for (const [sentence, object] of Object.entries(goodObjects)) {
  test(`the API server takes ${sentence}`, async () => {
    const answer = await withStatus(object as Body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const { status } = answer.body as { status: unknown };
    assert.deepEqual(status, JSON.parse(JSON.stringify((object as { status: object }).status)));
  });
}

for (const [sentence, [object]] of Object.entries(badObjects)) {
  test(`the API server refuses ${sentence}`, async () => {
    const answer = await withStatus(object as Body);
    assert(answer.status >= 400 && answer.status < 500, JSON.stringify(answer.body));
    const schema = kinds[(object as { kind: string }).kind]?.schema;
    const parsed = schema?.safeParse(JSON.parse(JSON.stringify(object)));
    assert(parsed?.error !== undefined);
    assert.deepEqual(differences(agentReasons(parsed.error), serverReasons(answer)), none);
  });
}
