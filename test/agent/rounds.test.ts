// What a round reads again while nothing says that anything has changed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { survey, type Survey, type SurveyScope } from '../../src/agent/survey.ts';
import { silentLog } from '../../src/base/log.ts';
import { createHost } from '../../src/host/create-host.ts';
import { largeMachine } from '../../src/kernel/model/topology-large.ts';
import { KernelModel } from '../../src/kernel/model/kernel-model.ts';
import type { GroupLook } from '../../src/ownership/look.ts';
import { failingAt, type CallName } from '../host/failing-reads.ts';
import { realClock } from '../host/machine.ts';
import { policy } from './node.ts';

const configurations = /^read \/sys\/bus\/pci\/devices\/([^/]+)\/config$/;

/** A machine with many graphics cards that a policy wants, and the rounds over it. */
async function roundsOver(lookOf: (look: GroupLook) => GroupLook) {
  const model = new KernelModel({ spec: largeMachine('rounds', 200), clock: realClock });
  const asked = new Set<CallName>();
  const host = createHost({
    kernel: failingAt(model, null, asked),
    clock: realClock,
    log: silentLog,
  });
  let latest: Survey | null = null;
  const take = async (scope: SurveyScope): Promise<ReadonlySet<string>> => {
    asked.clear();
    const before = latest;
    latest = await survey({
      host,
      scope,
      policies: [policy({ devices: [{ vendor: '10de', device: '2235' }] })],
      records: [],
      quarantined: [],
      cordons: new Map(),
      skipLocked: new Set(),
      order: 1,
      lastLook: (leader) => {
        const look = before?.seen.get(leader)?.look ?? null;
        return look === null ? null : lookOf(look);
      },
      lastBootId: null,
    });
    return new Set([...asked].flatMap((call) => configurations.exec(call)?.[1] ?? []));
  };
  const all = await take({ kind: 'everything' });
  const rounds: ReadonlySet<string>[] = [];
  for (let turn = 1; turn <= 4; turn++) {
    assert(latest !== null);
    rounds.push(await take({ kind: 'wanted', before: latest, turn }));
  }
  return { all, rounds };
}

test('four rounds read what every group is, each a part of them', async () => {
  const { all, rounds } = await roundsOver((look) => look);
  assert(all.size > 60);
  for (const read of rounds) assert(read.size > 0 && read.size < all.size / 2, `${read.size}`);
  const together = rounds.flatMap((read) => [...read]);
  assert.deepEqual(together.toSorted(), [...all].toSorted());
});

for (const [what, change] of [
  ['that does not answer', { accessible: { known: true, value: false } }],
  ['that could not be read', { driverOverride: { known: false, path: '/sys/x', why: 'EIO' } }],
  ['whose driver was leaving', { leavingDriver: { known: true, value: 'nouveau' } }],
] as const) {
  test(`a function ${what} is read in every round`, async () => {
    const { all, rounds } = await roundsOver((look) => ({
      ...look,
      details: look.details.map((detail) => ({ ...detail, ...change })),
    }));
    for (const read of rounds) assert.deepEqual(read, all);
  });
}
