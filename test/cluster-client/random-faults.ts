// A random history of changes and faults, from a seed: whatever happens in between, in the end the informer knows what
// the server has, and what it told adds up to it.
import assert from 'node:assert/strict';
import { seededRandom } from '../../src/base/random.ts';
import { pause, until } from '../kubelet/real-time.ts';
import { type Effect, isList, isWatch } from './fault-proxy.ts';
import { type ConfigMap, configMaps, objectsOf, type Stage, watched } from './stage.ts';

const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };

const effects: readonly Effect[] = [
  { kind: 'answer', status: 410, body: gone },
  { kind: 'answer', status: 500 },
  { kind: 'answer', status: 429, headers: { 'retry-after': '0' } },
  { kind: 'answer', status: 403 },
  { kind: 'answer', status: 200, body: { not: 'a list' } },
  { kind: 'reset' },
  { kind: 'stall', bytes: 0 },
  { kind: 'stall', bytes: 300 },
  { kind: 'cut', bytes: 1 },
  { kind: 'cut', bytes: 700 },
  { kind: 'slow', pauseMs: 1 },
  { kind: 'line', line: { type: 'ERROR', object: gone } },
  { kind: 'line', line: { type: 'ERROR', object: { kind: 'Status', code: 500 } } },
  { kind: 'line', line: { type: 'SURPRISE', object: { metadata: {} } } },
  { kind: 'line', line: 'nonsense' },
];

/** What the server has of a stage: `a=1 b=2`. */
async function onServer({ direct, label }: Stage): Promise<string> {
  const page = await direct.list<ConfigMap>(configMaps, {
    ...{ namespace: 'default', labelSelector: `case=${label}` },
  });
  if (!page.ok) throw new Error(JSON.stringify(page.problem));
  return (page.value.items ?? [])
    .map(({ metadata, data }) => `${metadata.name.slice(label.length + 1)}=${data?.value}`)
    .sort()
    .join(' ');
}

/** What somebody knows who was told all this; an assertion when it cannot be so. */
function retold(told: readonly string[]): string {
  const known = new Map<string, string>();
  const newest = new Map<string, number>();
  for (const [index, line] of told.entries()) {
    const [, change, name = '', value = ''] = /^(\w+) (\w+)=(.*)$/.exec(line) ?? [];
    const at = `${index}: ${line}`;
    assert.equal(known.has(name), change !== 'added', at);
    // Values are numbers of steps: nothing that is told is older than what was told before.
    assert(Number(value) >= (newest.get(name) ?? 0), at);
    newest.set(name, Number(value));
    if (change === 'deleted') known.delete(name);
    else known.set(name, value);
  }
  return [...known]
    .map((pair) => pair.join('='))
    .sort()
    .join(' ');
}

/** Plays one history. Throws when the informer ends up with anything but the truth. */
export async function playRandomFaults(stage: Stage, seed: number, steps: number): Promise<void> {
  const random = seededRandom(seed);
  const objects = objectsOf(stage);
  const there = new Set<string>();
  await using seen = watched(stage, {
    timings: { idleMs: 150, listSilenceMs: 300, pageObjects: 3 },
  });
  for (let step = 0; step < steps; step++) {
    const name = random.pick(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    if (!there.has(name)) {
      await objects.create(name, String(step));
      there.add(name);
    } else if (random.chance(0.6)) await objects.change(name, String(step));
    else {
      await objects.remove(name);
      there.delete(name);
    }
    if (random.chance(0.4)) {
      stage.proxy.add({
        when: random.chance(0.6) ? isWatch : isList,
        effect: random.pick(effects),
      });
    }
    if (random.chance(0.1)) stage.proxy.breakAll();
    if (random.chance(0.2)) await pause(random.below(60));
  }
  stage.proxy.heal();
  const truth = await onServer(stage);
  await until(`seed ${seed}: it knows ${truth}`, () => seen.cached() === truth, 15_000);
  assert.equal(retold(seen.told), truth, `seed ${seed}`);
}
