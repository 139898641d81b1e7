// The soak: cycles of pods and mishaps by a seed. While pods run no device may have two holders; after every cycle the
// host has all of its drivers, everything is offered, and nothing is leased.
import assert from 'node:assert/strict';
import { type Random, seededRandom } from '../../../src/base/random.ts';
import { openStage } from './install.ts';
import { groups, resources, sound } from './machine.ts';
import { killPod } from './product-process.ts';
import type { Stage } from './stage.ts';
import { until } from './wait.ts';

/** What is done, and whom to tell. */
export interface SoakOptions {
  readonly cycles: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
}

const native: Readonly<Record<string, string | null>> = {
  [groups.gpu]: 'nvidia',
  [sound]: 'snd_hda_intel',
  [groups.nicA]: 'i40e',
  [groups.nicB]: 'i40e',
  [groups.accelerator]: null,
};
const offered = { [resources.gpu]: 1, [resources.nic]: 2, [resources.accelerator]: 1 };
const restMs = 90_000;
/** How much the agent's memory may grow from the first fifth of the cycles to the last. */
const growthMaxMiB = 25;

const wait = async (ms: number): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
};

type Mishap = (stage: Stage, random: Random) => Promise<void>;

async function restart(stage: Stage, program: 'kubelet' | 'containerd', ms: number): Promise<void> {
  const node = stage.cluster.node(stage.home);
  await node.stop(program);
  await wait(ms);
  node.start(program);
  if (program === 'containerd') await node.containerdReady();
}

/** The mishap after which a running pod may have lost its device. */
const pull = 'a card is pulled out and put back';

const mishaps: Readonly<Record<string, Mishap>> = {
  'nothing happens': async () => {},
  'the agent is killed': async (stage) => killPod((await stage.productPod('agent')).metadata.uid),
  'the kubelet is killed': async (stage, random) =>
    await restart(stage, 'kubelet', random.below(1500)),
  'containerd is killed': async (stage, random) =>
    await restart(stage, 'containerd', random.below(500)),
  [pull]: async (stage, random) => {
    await stage.simulate('hotRemove', { address: groups.nicB as never });
    await wait(random.below(1000));
    const net = [{ name: 'ens3' }];
    const device = { id: '8086:1572', class: '020000', driver: 'i40e', numa: '1', net };
    await stage.simulate('hotAdd', { address: groups.nicB as never, device });
  },
  'an unbind hangs for a while': async (stage, random) => {
    const address = random.pick([groups.gpu, groups.nicA]) as never;
    await stage.simulate('injectFault', { fault: { kind: 'unbind-hang', address, times: 1 } });
    await wait(500 + random.below(3000));
    await stage.simulate('clearFaults', {});
  },
};

/**
 * No device is named for two containers, and what runs has its devices, but for those that were `pulled` out from under
 * it: what is put back in their place is a new device, which the host takes as any other.
 */
async function checkHolders(stage: Stage, pulled: ReadonlySet<string>): Promise<void> {
  const holders = await stage.holders().catch(() => []);
  const ids = holders.flatMap(({ deviceIds }) => deviceIds);
  assert.equal(
    new Set(ids).size,
    ids.length,
    `two holders of one device: ${JSON.stringify(holders)}`,
  );
  for (const { pod: name, deviceIds } of holders) {
    const pod = await stage.pod(name);
    if (pod?.status.containerStatuses?.[0]?.state.running === undefined) continue;
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    for (const id of deviceIds.filter((each) => !pulled.has(each))) {
      const { driver } = await stage.binding(id);
      assert.equal(driver, 'vfio-pci', `${id} of the running pod ${name} is bound to ${driver}`);
    }
  }
}

async function podsOfCycle(
  stage: Stage,
  random: Random,
  cycle: number,
): Promise<readonly string[]> {
  const names: string[] = [];
  for (let at = 0, count = 1 + random.below(3); at < count; at++) {
    const podName = `soak-${cycle}-${at}`;
    const resource = random.pick(Object.keys(offered));
    // Some end by themselves, some stay until they are deleted, some crash all the time.
    const afterwards = random.pick([undefined, 'sleep 1; exit 0', 'sleep 1; exit 1']);
    const podRestart = random.pick(['Always', 'Never'] as const);
    const limits = { [resource]: 1 };
    await stage.createPod({
      podName,
      limits,
      podRestart,
      ...(afterwards === undefined ? {} : { afterwards }),
    });
    names.push(podName);
    await wait(random.below(400));
  }
  return names;
}

/** Everything is as before the first pod. */
async function atRest(stage: Stage): Promise<void> {
  for (const [address, driver] of Object.entries(native)) {
    const back = async (): Promise<true | null> => {
      const binding = await stage.binding(address);
      return binding.driver === driver && binding.override === null ? true : null;
    };
    const tell = async (): Promise<string> => JSON.stringify(await stage.binding(address));
    await until(`${address} has its driver`, back, { limitMs: restMs, tell });
  }
  for (const leader of Object.values(groups)) {
    const free = (status: { phase: string; lease?: unknown }): boolean =>
      status.phase === 'WithHost' && status.lease === undefined;
    await stage.untilGroup(leader, 'is with the host', free, { limitMs: restMs });
  }
  for (const [resource, count] of Object.entries(offered))
    await stage.untilAllocatable(resource, count, { limitMs: restMs });
}

/** What a cycle did, and how many seconds it spent on which part. */
interface Cycle {
  readonly what: string;
  readonly seconds: Readonly<Record<string, number>>;
}

async function cycleOf(stage: Stage, random: Random, cycle: number): Promise<Cycle> {
  const seconds: Record<string, number> = {};
  const timed = async <T>(part: string, work: () => Promise<T>): Promise<T> => {
    const startedMs = performance.now();
    const value = await work();
    seconds[part] = (performance.now() - startedMs) / 1000;
    return value;
  };
  const names = await timed('pods', async () => await podsOfCycle(stage, random, cycle));
  const name = random.pick(Object.keys(mishaps));
  const pulled = new Set<string>(name === pull ? [groups.nicB] : []);
  await timed('mishap', async () => {
    await wait(random.below(1500));
    await mishaps[name]?.(stage, random);
  });
  await timed('looks', async () => {
    for (let look = 0; look < 3; look++) {
      await checkHolders(stage, pulled);
      await wait(300);
    }
  });
  const force = random.chance(0.2);
  await timed('deletion', async () => await podsGone(stage, names, force));
  await timed('rest', async () => await atRest(stage));
  return { what: `${names.length} pods, ${name}${force ? ', deleted by force' : ''}`, seconds };
}

async function podsGone(stage: Stage, names: readonly string[], force: boolean): Promise<void> {
  for (const pod of names) await stage.deletePod(pod, { force });
  for (const pod of names) await stage.untilPodGone(pod, restMs);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** How long cycles took on average, part by part. */
function spent(cycles: readonly Cycle[]): string {
  const parts = Object.keys(cycles[0]?.seconds ?? {});
  const of = (part: string): number => mean(cycles.map(({ seconds }) => seconds[part] ?? 0));
  return parts.map((part) => `${part} ${of(part).toFixed(1)} s`).join(', ');
}

/** Runs it; throws, naming the seed, at the first cycle that leaves something behind. */
export async function soak({ cycles, seed, tell }: SoakOptions): Promise<void> {
  const random = seededRandom(seed);
  await using stage = await openStage();
  await atRest(stage);
  const mib: number[] = [];
  const done: Cycle[] = [];
  for (let cycle = 1; cycle <= cycles; cycle++) {
    try {
      const now = await cycleOf(stage, random, cycle);
      done.push(now);
      mib.push((await stage.metric('process_resident_memory_bytes').catch(() => 0)) / 2 ** 20);
      const seconds = Object.values(now.seconds).reduce((sum, value) => sum + value, 0);
      tell(
        `✔ cycle ${cycle} of ${cycles}: ${now.what} (${seconds.toFixed(1)} s, agent ${mib.at(-1)?.toFixed(0)} MiB)`,
      );
    } catch (thrown) {
      throw new Error(`cycle ${cycle} of seed ${seed} failed: --seed ${seed} --cycles ${cycle}`, {
        cause: thrown,
      });
    }
  }
  const fifth = Math.max(1, Math.floor(cycles / 5));
  const growth = mean(mib.slice(-fifth)) - mean(mib.slice(0, fifth));
  assert(growth < growthMaxMiB, `the agent grew by ${growth.toFixed(0)} MiB`);
  tell(`a cycle on average: ${spent(done)}`);
  tell(
    `✔ ${cycles} cycles of seed ${seed}: no device had two holders, the host has everything back; the agent grew by ${growth.toFixed(0)} MiB`,
  );
}
