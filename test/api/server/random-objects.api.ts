// Policies that nobody thought of, against the agent's schema and a real API server: the same verdict, and the same spec
// where they are taken. A failure prints the seed and the smallest object that shows it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { judgedPolicy } from '../../../src/api/policy-in-force.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';

let server: ApiServer;
before(async () => {
  server = await startApiServer();
  await server.applyDefinitions();
});
after(async () => await server[Symbol.asyncDispose]());

/** Values that belong nowhere, or only by luck. */
const stray = fc.oneof(
  fc.constantFrom(null, true, false, 0, -1, 1, 1.5, 4096, 2 ** 31, 2 ** 53, '', ' ', 'a', '0'),
  fc.constantFrom<unknown>(
    [],
    {},
    [null],
    ['a'],
    [{}],
    { a: 'b' },
    { min: 1 },
    { matchLabels: {} },
  ),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
);

/** Mostly `good`, now and then something else, now and then nothing. */
function mostly<T>(good: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { arbitrary: good, weight: 12 },
    { arbitrary: stray, weight: 1 },
    { arbitrary: fc.constant(undefined), weight: 2 },
  );
}

const of = (characters: string, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...characters.split('')), maxLength });
const hexId = fc.oneof(fc.constantFrom('10de', '8086', '0x10', '10DE'), of('0123456789abcdefx', 5));
const address = fc.oneof(
  fc.constantFrom('0000:65:00.0', '10000:01:00.7', '0000:65:*', '*', '*.8', '65:*', '0000:*:20.0'),
  of('0156:.*?', 13),
);
const selector = fc.record(
  {
    vendor: mostly(hexId),
    device: mostly(hexId),
    class: mostly(of('0123456789abcdef', 7)),
    address: mostly(address),
    slot: mostly(fc.oneof(fc.constantFrom('0000:65:00', '0000:65:20'), of('0156:', 11))),
    driver: mostly(fc.oneof(fc.constantFrom('nvidia', 'a b', 'a/b', ' a'), fc.string())),
    physicalFunction: mostly(address),
    numaNode: mostly(fc.integer({ min: -2, max: 1100 })),
  },
  { requiredKeys: [] },
);
const selectors = fc.array(mostly(selector), { maxLength: 3 });
const labelKey = fc.oneof(
  fc.constantFrom('gpu', 'example.com/gpu', 'a/b/c', '/gpu', 'a/', '-a', 'A.b_c-d'),
  of('aA1-_./', 8),
);
const labels = fc.dictionary(labelKey, mostly(of('aA1-_.', 5)), {
  maxKeys: 3,
  noNullPrototype: true,
});
const resourceName = fc.oneof(
  fc.constantFrom('example.com/nic', 'nvidia.com/GA102GL_A40', 'kubernetes.io/x', 'requests.a/b'),
  of('aA1-_./', 12),
);
const word = (...words: string[]): fc.Arbitrary<string> => fc.constantFrom(...words, 'Other');
const bounds = fc.record({
  min: mostly(fc.integer({ min: 0, max: 5 })),
  max: mostly(fc.integer({ min: 0, max: 5 })),
});

const fields = {
  resourceName: mostly(resourceName),
  devices: mostly(selectors),
  nodeSelector: mostly(fc.record({ matchLabels: mostly(labels) })),
  priority: mostly(fc.integer({ min: -(2 ** 31) - 1, max: 2 ** 31 })),
  companions: mostly(word('SameSlot', 'Listed', 'Any')),
  companionDevices: mostly(selectors),
  primaries: mostly(bounds),
  binding: mostly(word('OnAllocate', 'Eager')),
  vfioDriver: mostly(fc.oneof(fc.constant('vfio-pci'), fc.string({ maxLength: 70 }))),
  waive: mostly(fc.array(word('SwapActive', 'SoundInUse', 'LoopBacking'), { maxLength: 3 })),
  deviceNodes: mostly(fc.record({ uid: mostly(fc.integer()), mode: mostly(of('01267', 5)) })),
  extra: stray,
};

/** The smallest policy with a few fields drawn. */
const spec = fc
  .tuple(fc.record(fields), fc.subarray(Object.keys(fields), { minLength: 1, maxLength: 3 }))
  .map(([drawn, chosen]) => ({
    resourceName: 'example.com/nic',
    devices: [{ vendor: '8086' }],
    ...Object.fromEntries(Object.entries(drawn).filter(([name]) => chosen.includes(name))),
  }));

test('random policies get the same verdict from the agent and from the API server', async () => {
  const path =
    '/apis/wholegroup.dev/v1alpha1/passthroughpolicies?fieldValidation=Strict&dryRun=All';
  const verdicts = { taken: 0, refused: 0 };
  const same = async (drawn: unknown): Promise<void> => {
    const apiVersion = 'wholegroup.dev/v1alpha1';
    const object = { apiVersion, kind: 'PassthroughPolicy', metadata: { name: 'a' }, spec: drawn };
    // As it goes over the wire: undefined is not given.
    const body = JSON.parse(JSON.stringify(object)) as object;
    const answer = await server.call({ method: 'POST', path, token: server.tokens.admin, body });
    const known = judgedPolicy(body);
    verdicts[known.success ? 'taken' : 'refused']++;
    const problems = known.error?.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
    const both = `the server: ${JSON.stringify(answer.body)}\nthe agent: ${problems?.join('\n')}`;
    assert.equal(answer.status === 201, known.success, both);
    if (!known.success) return;
    const { spec: stored } = answer.body as { spec: unknown };
    assert.deepEqual(stored, JSON.parse(JSON.stringify(known.data.spec)));
  };
  await fc.assert(fc.asyncProperty(spec, same), { numRuns: 1000 });
  assert(verdicts.taken > 100 && verdicts.refused > 100, JSON.stringify(verdicts));
});
