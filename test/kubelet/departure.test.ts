import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  defaultDepartureLimits,
  judgeDeparture,
  newListWatch,
  watchLists,
  type Departure,
  type ListWatch,
  type PodStatus,
} from '../../src/kubelet/departure.ts';
import type { HoldersAnswer } from '../../src/kubelet/pods.ts';
import type { Inside } from '../../src/ownership/use.ts';
import { resourceName } from './test-door.ts';

const gpu = resourceName('example.com/gpu');
const device = { resource: gpu, id: '0000:01:00.0', sinceMs: 1000 };

interface ListSketch {
  readonly atMs: number;
  readonly upMs?: number;
  readonly kubelet?: string;
  readonly holds?: boolean;
}

function list(sketch: ListSketch): HoldersAnswer {
  const holder = {
    namespace: 'ml',
    pod: 'train-0',
    container: 'main',
    resource: gpu,
    deviceIds: sketch.holds === true ? [device.id, '0000:02:00.0'] : ['0000:02:00.0'],
  };
  return {
    kind: 'holders',
    holders: [holder],
    askedAtMs: sketch.atMs,
    kubeletIncarnation: sketch.kubelet ?? 'first',
    kubeletUpMs: sketch.upMs ?? 60_000,
  };
}
const silence: HoldersAnswer = { kind: 'unreachable', why: 'ECONNREFUSED' };

function watched(answers: readonly HoldersAnswer[], everListed = true): ListWatch {
  return answers.reduce(
    (watch, answer) => watchLists(watch, answer, device),
    newListWatch(everListed),
  );
}

const nobody: Inside = { kind: 'nobody' };
const judged = (
  lists: ListWatch,
  pod: PodStatus = { kind: 'absent' },
  inside: Inside = nobody,
): Departure => judgeDeparture({ lists, pod, inside });

describe('what the lists say about a leased device', () => {
  const table: readonly (readonly [string, readonly HoldersAnswer[], Departure['kind']])[] = [
    ['no list yet', [], 'waiting'],
    ['one list without it', [list({ atMs: 2000 })], 'waiting'],
    ['two lists without it', [list({ atMs: 2000 }), list({ atMs: 3000 })], 'gone'],
    [
      'the same list twice (shared answer)',
      [list({ atMs: 2000 }), list({ atMs: 2000 })],
      'waiting',
    ],
    [
      'two lists of different kubelets',
      [list({ atMs: 2000 }), list({ atMs: 3000, kubelet: 'next' })],
      'waiting',
    ],
    [
      'one of the old kubelet, two of the new',
      [
        list({ atMs: 2000 }),
        list({ atMs: 3000, kubelet: 'next' }),
        list({ atMs: 4000, kubelet: 'next' }),
      ],
      'gone',
    ],
    ['listed', [list({ atMs: 2000, holds: true })], 'present'],
    [
      'listed again after two lists without it',
      [list({ atMs: 2000 }), list({ atMs: 3000 }), list({ atMs: 4000, holds: true })],
      'present',
    ],
    [
      'without it, with it, without it',
      [list({ atMs: 2000 }), list({ atMs: 3000, holds: true }), list({ atMs: 4000 })],
      'waiting',
    ],
    [
      'a kubelet that is up 29.999 s',
      [list({ atMs: 2000 }), list({ atMs: 3000, upMs: 29_999 })],
      'waiting',
    ],
    [
      'two empty lists of a young kubelet',
      [list({ atMs: 2000, upMs: 10 }), list({ atMs: 3000, upMs: 1010 })],
      'waiting',
    ],
    [
      'two lists of a young kubelet that has named the holder itself',
      [
        list({ atMs: 2000, upMs: 500, holds: true }),
        list({ atMs: 3000, upMs: 1500 }),
        list({ atMs: 4000, upMs: 2500 }),
      ],
      'gone',
    ],
    [
      'two lists of a young kubelet after another one that named the holder',
      [
        list({ atMs: 2000, holds: true }),
        list({ atMs: 3000, upMs: 10, kubelet: 'next' }),
        list({ atMs: 4000, upMs: 1010, kubelet: 'next' }),
      ],
      'waiting',
    ],
    [
      'a young list between two others counts for nothing and breaks the row',
      [list({ atMs: 2000 }), list({ atMs: 3000, upMs: 5 }), list({ atMs: 4000 })],
      'waiting',
    ],
    ['the kubelet silent', [silence], 'waiting'],
    [
      'the kubelet silent after two lists without it',
      [list({ atMs: 2000 }), list({ atMs: 3000 }), silence],
      'waiting',
    ],
    [
      'silence between two lists of one kubelet',
      [list({ atMs: 2000 }), silence, list({ atMs: 4000 })],
      'gone',
    ],
    [
      'lists that were asked before the lease',
      [list({ atMs: 100 }), list({ atMs: 999 })],
      'waiting',
    ],
    ['one before the lease and one after', [list({ atMs: 999 }), list({ atMs: 1000 })], 'waiting'],
    ['answers that arrive out of order', [list({ atMs: 3000 }), list({ atMs: 2000 })], 'waiting'],
  ];
  for (const [what, answers, kind] of table) {
    test(`${what}: ${kind}`, () => assert.equal(judged(watched(answers)).kind, kind));
  }

  test('the same device ID under another resource name is somebody else’s', () => {
    const answer = list({ atMs: 2000, holds: true });
    assert.ok(answer.kind === 'holders');
    const other = {
      ...answer,
      holders: answer.holders.map((one) => ({ ...one, resource: resourceName('other.io/gpu') })),
    };
    assert.equal(watched([other]).latest.kind, 'not-listed');
  });

  test('the holder is learnt from the first list that names it', () => {
    const watch = watched([list({ atMs: 2000 }), list({ atMs: 3000, holds: true })], false);
    assert.equal(watch.everListed, true);
    assert.equal(watch.latest.kind === 'listed' ? watch.latest.holder.pod : '', 'train-0');
  });
});

describe('a lease whose pod was never listed', () => {
  const unlisted = (...atMs: number[]): Departure =>
    judged(
      watched(
        atMs.map((at) => list({ atMs: at })),
        false,
      ),
      { kind: 'unidentified' },
    );

  test('is kept while the lists span less than 10 s', () => {
    assert.deepEqual(unlisted(2000, 3000, 11_999), {
      kind: 'waiting',
      why: 'its pod was never listed; lists without it span 9999 of 10000 ms',
    });
  });
  test('ends after two lists 10 s apart: the kubelet rejected the pod', () => {
    assert.equal(unlisted(2000, 12_000).kind, 'gone');
    assert.match(unlisted(2000, 12_000).why, /never listed in 10000 ms: the kubelet rejected it/);
  });
  test('is kept while someone is inside all the same', () => {
    const lists = watched([list({ atMs: 2000 }), list({ atMs: 20_000 })], false);
    const inside: Inside = {
      kind: 'someone',
      evidence: [{ path: '/proc/9/fd/3', says: '/dev/vfio/7' }],
    };
    assert.deepEqual(judged(lists, { kind: 'unidentified' }, inside), {
      kind: 'present',
      why: 'someone is inside: /proc/9/fd/3 says /dev/vfio/7',
    });
  });
  test('a pod that was listed but is not identified keeps its lease', () => {
    assert.equal(
      judged(watched([list({ atMs: 2000 }), list({ atMs: 3000 })]), { kind: 'unidentified' }).kind,
      'waiting',
    );
  });
});

// Every combination of the four parts of the rule. A lease ends only when each part agrees.
describe('the four parts of the rule, enumerated', () => {
  const lists: readonly (readonly [Departure['kind'], ListWatch])[] = [
    ['present', watched([list({ atMs: 2000, holds: true })])],
    ['waiting', watched([])],
    ['waiting', watched([list({ atMs: 2000 })])],
    ['waiting', watched([list({ atMs: 2000, upMs: 0 })])],
    ['waiting', watched([list({ atMs: 2000 }), list({ atMs: 3000 }), silence])],
    ['gone', watched([list({ atMs: 2000 }), list({ atMs: 3000 })])],
    ['gone', watched([list({ atMs: 2000 }), list({ atMs: 13_000 })], false)],
  ];
  const pods: readonly (readonly [Departure['kind'], PodStatus])[] = [
    ['present', { kind: 'alive' }],
    ['present', { kind: 'terminal', containersTerminated: false }],
    ['waiting', { kind: 'unknown', why: 'the API server is away' }],
    ['gone', { kind: 'absent' }],
    ['gone', { kind: 'terminal', containersTerminated: true }],
    ['gone', { kind: 'unavailable' }],
  ];
  const insides: readonly (readonly [Departure['kind'], Inside])[] = [
    ['present', { kind: 'someone', evidence: [] }],
    ['waiting', { kind: 'unknown', evidence: [{ path: '/proc', says: 'EACCES' }] }],
    ['gone', nobody],
  ];
  const combined = (parts: readonly Departure['kind'][]): Departure['kind'] => {
    if (parts.includes('present')) return 'present';
    return parts.includes('waiting') ? 'waiting' : 'gone';
  };
  for (const [listKind, watch] of lists) {
    for (const [podKind, pod] of pods) {
      for (const [insideKind, inside] of insides) {
        const kind = combined([listKind, podKind, insideKind]);
        test(`lists ${watch.latest.kind} (${watch.absence?.lists ?? 0}), pod ${pod.kind}, inside ${inside.kind}: ${kind}`, () => {
          const verdict = judged(watch, pod, inside);
          assert.equal(verdict.kind, kind);
          assert.ok(verdict.why.length > 0);
        });
      }
    }
  }

  test('whatever the lists were: gone only after two lists in a row of one kubelet that is grown up or had named it', () => {
    const sketch = fc.oneof(
      fc.constant(null),
      fc.record({
        step: fc.integer({ min: 0, max: 6000 }),
        upMs: fc.constantFrom(0, 29_999, 30_000, 90_000),
        kubelet: fc.constantFrom('a', 'b'),
        holds: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(fc.array(sketch, { maxLength: 8 }), fc.boolean(), (sketches, everListed) => {
        let atMs = 0;
        const answers = sketches.map((one) => {
          atMs += one?.step ?? 0;
          return one === null ? silence : list({ ...one, atMs });
        });
        const verdict = judged(watched(answers, everListed), { kind: 'unavailable' });
        if (verdict.kind !== 'gone') return;
        const heard = answers.filter(
          (one) => one.kind === 'holders' && one.askedAtMs >= device.sinceMs,
        );
        const last = heard.at(-1);
        assert.ok(answers.at(-1)?.kind === 'holders' && last?.kind === 'holders');
        const names = (one: HoldersAnswer): boolean =>
          one.kind === 'holders' &&
          one.holders.some((holder) => holder.deviceIds.includes(device.id));
        const naming = heard.findLast(names);
        const known =
          naming?.kind === 'holders' && naming.kubeletIncarnation === last.kubeletIncarnation;
        const run = [];
        for (const one of heard.toReversed()) {
          if (one.kind !== 'holders' || one.kubeletIncarnation !== last.kubeletIncarnation) break;
          if (!known && one.kubeletUpMs < defaultDepartureLimits.kubeletUpMs) break;
          if (names(one)) break;
          run.push(one.askedAtMs);
        }
        assert.ok(new Set(run).size >= 2);
      }),
      { numRuns: 3000 },
    );
  });
});
