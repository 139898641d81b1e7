import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decide, type Decision } from '../../src/ownership/decide.ts';
import { type Situation, situationWords } from '../../src/ownership/situation.ts';

function everySituation(): Situation[] {
  const all: Situation[] = [];
  for (const recorded of situationWords.recorded)
    for (const leased of situationWords.leased)
      for (const boot of situationWords.boot)
        for (const membership of situationWords.membership)
          for (const binding of situationWords.binding)
            for (const inside of situationWords.inside)
              all.push({ recorded, leased, boot, membership, binding, inside });
  return all;
}

const all = everySituation();

/** Every situation that `when` describes gets a decision that `then` allows. */
function holds(
  when: (s: Situation) => boolean,
  then: (d: Decision, s: Situation) => boolean,
): void {
  const fitting = all.filter(when);
  assert.ok(fitting.length > 0, 'the description fits some situation');
  for (const situation of fitting) {
    const decision = decide(situation);
    assert.ok(
      then(decision, situation),
      `${JSON.stringify(situation)} -> ${JSON.stringify(decision)}`,
    );
  }
}

const touches = (d: Decision): boolean => d.kind === 'Take' || d.kind === 'Return';

test('every combination of record, boot, members, drivers and users has an answer', () => {
  assert.equal(all.length, 6 * 2 * 2 * 5 * 4 * 3);
  for (const situation of all) assert.ok(decide(situation).kind);
});

test('nothing is written while somebody is or may be inside (R4)', () => {
  holds(
    (s) => s.inside !== 'Nobody',
    (d) => !touches(d) && d.kind !== 'Settle',
  );
});

test('a group that is out with a tenant is never given back, taken or forgotten by itself (R4, R9)', () => {
  holds(
    (s) => s.recorded === 'Assigned' && s.leased,
    (d) => !touches(d) && d.kind !== 'Finish' && d.kind !== 'Settle' && d.kind !== 'Leave',
  );
});

test('a claim is finished only when the group is whole and every member is taken (R3)', () => {
  holds(
    (s) => s.membership !== 'Same' || s.binding !== 'Taken' || s.boot !== 'Same',
    (d) => d.kind !== 'Settle',
  );
});

test('a part of a group is never taken', () => {
  holds(
    (s) => s.membership !== 'Same',
    (d) => d.kind !== 'Take',
  );
});

test('a record of this boot is forgotten only when every member that is left is with the host (R5)', () => {
  holds(
    (s) => s.boot === 'Same' && s.binding !== 'Host' && s.membership !== 'Vanished',
    (d) => d.kind !== 'Finish',
  );
});

test('a record is never forgotten while it carries a lease, unless it is being returned', () => {
  holds(
    (s) => s.leased && s.recorded !== 'Returning',
    (d) => d.kind !== 'Finish',
  );
});

test('without a record nothing is ours, and an unreadable one needs a person (R6)', () => {
  holds(
    (s) => s.recorded === 'None',
    (d) => d.kind === 'Leave',
  );
  holds(
    (s) => s.recorded === 'Quarantined',
    (d) => d.kind === 'Fault',
  );
});

test('drivers that cannot be read are waited for, never overwritten (R7)', () => {
  holds(
    (s) => s.boot === 'Same' && s.binding === 'Unknown' && s.membership !== 'Vanished',
    (d) => !touches(d) && d.kind !== 'Finish' && d.kind !== 'Settle',
  );
});

test('what the host did since a reboot is never touched by a record from before it', () => {
  holds(
    (s) => s.boot === 'Other',
    (d) => !touches(d) && d.kind !== 'Settle',
  );
});

test('after a reboot a leased group waits for its holder with the host, others are forgotten', () => {
  const calm = (s: Situation): boolean =>
    s.boot === 'Other' && s.membership === 'Same' && s.inside === 'Nobody' && s.binding === 'Host';
  holds(
    (s) => calm(s) && s.leased && ['Claiming', 'Assigned'].includes(s.recorded),
    (d) => d.kind === 'AwaitHolder',
  );
  holds(
    (s) => calm(s) && !s.leased && s.recorded === 'Claimed',
    (d) => d.kind === 'Finish',
  );
});

test('the recovery table is the reviewed one', () => {
  const lines = all.map((s) => {
    const d = decide(s);
    const what =
      d.kind === 'Fault' ? `Fault ${d.reason}` : 'why' in d ? `${d.kind}: ${d.why}` : d.kind;
    const lease = s.leased ? 'leased' : 'free';
    return `${s.recorded} ${lease} ${s.boot} ${s.membership} ${s.binding} ${s.inside} -> ${what}`;
  });
  const path = join(import.meta.dirname, 'recovery-table.txt');
  if (process.env['UPDATE_SNAPSHOTS'] === '1') writeFileSync(path, `${lines.join('\n')}\n`);
  assert.equal(`${lines.join('\n')}\n`, readFileSync(path, 'utf8'));
});
