// What answers and ends mean: tables of refusals, of rounds of an informer, and of JSON that is the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coversJson, sameJson } from '../../src/cluster/equal.ts';
import { reactionTo, type RoundEnd } from '../../src/cluster/informer/reaction.ts';
import { type ApiProblem, problemOf, statusBody } from '../../src/cluster/problem.ts';

const refusals: readonly [what: string, status: number, body: string, meaning: object][] = [
  ['an object in the way', 409, '{"reason":"AlreadyExists"}', { kind: 'alreadyExists' }],
  ['a changed object', 409, '{"reason":"Conflict"}', { kind: 'conflict' }],
  ['no rights', 403, '{"message":"no"}', { kind: 'forbidden', message: 'no' }],
  ['an old version', 410, '{"reason":"Expired"}', { kind: 'gone' }],
  [
    'a version from the future',
    504,
    '{"reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge"}],"retryAfterSeconds":1}}',
    { kind: 'gone' },
  ],
  [
    'bad fields',
    422,
    '{"details":{"causes":[{"field":"spec.x","message":"must be y"},{"message":"all"}]}}',
    {
      kind: 'invalid',
      reasons: [
        { field: 'spec.x', message: 'must be y' },
        { field: '', message: 'all' },
      ],
    },
  ],
  [
    'too many, said in the body',
    429,
    '{"details":{"retryAfterSeconds":3}}',
    { retryAfterMs: 3000 },
  ],
  ['too many, without a time', 429, '{}', { kind: 'tooMany', retryAfterMs: null }],
  [
    'an overloaded proxy',
    502,
    '<html>Bad Gateway',
    { kind: 'unavailable', message: '<html>Bad Gateway' },
  ],
  ['another refusal', 415, '{"message":"bad type"}', { kind: 'refused', status: 415 }],
  ['an empty answer', 500, '', { kind: 'unavailable', message: 'HTTP status 500' }],
  ['JSON that is no object', 500, 'null', { kind: 'unavailable', message: 'null' }],
];

for (const [what, status, body, meaning] of refusals) {
  test(`problem: ${what} (${status})`, () => {
    const problem = problemOf({ status, body: statusBody(body) });
    assert.deepEqual(problem, { ...problem, ...meaning });
  });
}

const problem = (kind: ApiProblem['kind'], more: object = {}): ApiProblem =>
  ({ kind, message: kind, retryAfterMs: null, ...more }) as ApiProblem;
const watched = (end: object, livedMs = 60_000): RoundEnd =>
  ({ kind: 'watched', end, livedMs }) as RoundEnd;

const rounds: readonly [what: string, round: RoundEnd, relist: boolean, pause: string][] = [
  ['a list that came', { kind: 'listed' }, false, 'none'],
  ['a list that failed', { kind: 'list-failed', problem: problem('unavailable') }, true, 'backoff'],
  ['a list without rights', { kind: 'list-failed', problem: problem('forbidden') }, true, 'slow'],
  ['a watch at its end', watched({ kind: 'ended' }), false, 'none'],
  ['a watch that ended at once', watched({ kind: 'ended' }, 5), false, 'backoff'],
  ['silence', watched({ kind: 'idle' }), false, 'none'],
  ['a broken stream', watched({ kind: 'broken', why: 'x' }), false, 'backoff'],
  ['an old version', watched({ kind: 'problem', problem: problem('gone') }), true, 'backoff'],
  ['too many', watched({ kind: 'problem', problem: problem('tooMany') }), false, 'backoff'],
  [
    'no credentials',
    watched({ kind: 'problem', problem: problem('unauthorized') }),
    false,
    'backoff',
  ],
  ['no such resource', watched({ kind: 'problem', problem: problem('notFound') }), false, 'slow'],
  ['an abort', watched({ kind: 'aborted' }), false, 'none'],
];

for (const [what, round, relist, pause] of rounds) {
  test(`informer: what follows on ${what}`, () => {
    const reaction = reactionTo(round);
    assert.deepEqual([reaction.relist, reaction.pause.kind], [relist, pause]);
  });
}

test('informer: the wait is at least what the server asked for', () => {
  const asked = watched({ kind: 'problem', problem: problem('tooMany', { retryAfterMs: 7000 }) });
  assert.deepEqual(reactionTo(asked).pause, { kind: 'backoff', atLeastMs: 7000 });
});

test('json: null and absent are the same, the order of keys is none, that of lists is', () => {
  assert(sameJson({ a: 1, b: null }, { a: 1 }));
  assert(sameJson({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 }));
  assert(!sameJson({ a: [1, 2] }, { a: [2, 1] }));
  assert(!sameJson({ a: [] }, { a: {} }));
  assert(!sameJson({ a: 0 }, {}));
  assert(!sameJson({ a: '1' }, { a: 1 }));
});

test('json: what is wanted is covered by what is there and more', () => {
  assert(coversJson({ labels: { a: '1', b: '2' }, uid: 'x' }, { labels: { a: '1' } }));
  assert(!coversJson({ labels: { a: '2' } }, { labels: { a: '1' } }));
  assert(!coversJson(null, { labels: {} }));
  assert(!coversJson({ owners: [1, 2] }, { owners: [1] }), 'lists must be the same');
});
