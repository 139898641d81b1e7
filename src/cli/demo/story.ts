// The story that the demo tells: each chapter makes something happen to the running parts, waits until it can
// be seen, and says what was seen. Nothing is assumed: a chapter whose ending does not come fails the demo.
import type { GroupView } from '../../agent/view.ts';
import { isPciAddress, type PciAddress } from '../../pci/address.ts';
import type { Streams } from '../output.ts';
import { until } from './children.ts';
import { cast } from './machine.ts';
import { groupLines } from './picture.ts';
import { resources } from './policies.ts';
import type { Stage } from './stage.ts';

/** Who tells, about what. */
export interface Teller {
  readonly stage: Stage;
  readonly streams: Streams;
}

function say(teller: Teller, text: string): void {
  teller.streams.out(`${text}\n`);
}

function chapter(teller: Teller, number: number, title: string): void {
  say(teller, `\n${teller.streams.paint('title', `${number}. ${title}`)}`);
}

async function show(teller: Teller, only?: readonly PciAddress[]): Promise<void> {
  const views = (await teller.stage.groups()) ?? [];
  const chosen = only === undefined ? views : views.filter((view) => only.includes(view.leader));
  const width = teller.streams.interactive ? teller.streams.columns() - 4 : null;
  for (const line of groupLines(chosen, teller.streams.paint, width)) say(teller, `    ${line}`);
}

/** Waits until the view of a group is as wanted. */
function group(
  { stage }: Teller,
  leader: PciAddress,
  what: string,
  is: (view: GroupView) => boolean,
): Promise<GroupView> {
  return until(stage.clock, `${leader} ${what}`, async () => {
    const view = (await stage.groups())?.find((candidate) => candidate.leader === leader);
    return view !== undefined && is(view) ? view : null;
  });
}

function pod(teller: Teller, name: string, resource: string): string {
  say(teller, `  kubectl: pod ${name} wants 1 ${resource}`);
  return teller.stage.kubelet.createPod({
    namespace: 'demo',
    name,
    containers: [{ name: 'main', devices: { [resource]: 1 } }],
  });
}

function podIs(teller: Teller, uid: string, what: string, phase: string): Promise<true> {
  const { kubelet, clock } = teller.stage;
  return until(clock, `pod ${what}`, async () => {
    const view = kubelet.pod(uid);
    const running = view?.containers.every((container) => container.state.kind === 'running');
    if (phase === 'Running') return running === true ? true : null;
    return view?.phase === phase ? true : null;
  });
}

async function drivers(teller: Teller, addresses: readonly PciAddress[]): Promise<string> {
  const texts = await Promise.all(
    addresses.map(async (address) => {
      const answer = await teller.stage.control.perform('binding', { address });
      const binding =
        answer.kind === 'done' ? (answer.value as { readonly driver: string | null }) : null;
      return `${address} ${binding?.driver ?? 'no driver'}`;
    }),
  );
  return texts.join(', ');
}

async function machine(teller: Teller): Promise<void> {
  chapter(teller, 1, 'A machine, and what may be given away');
  say(
    teller,
    '  The agent looks at every IOMMU group that a policy wants. A group is offered only while all',
  );
  say(teller, '  of it can be released; for every other one it says what keeps it.');
  await show(teller);
}

const card = [0, 1, 2, 3].map((fn) => cast.gpu.replace(/\.0$/, `.${fn}`)).filter(isPciAddress);

async function wholeGroup(teller: Teller): Promise<string> {
  const { paint } = teller.streams;
  chapter(teller, 2, 'A pod gets a whole group');
  const uid = pod(teller, 'train-0', resources.gpu);
  await podIs(teller, uid, 'train-0 running', 'Running');
  const view = await group(
    teller,
    cast.gpu,
    'assigned',
    (v) => v.phase === 'Assigned' && v.lease !== null && v.lease.pod !== null,
  );
  const count = view.members.length;
  say(
    teller,
    `  Running. All ${count} functions of group ${view.groupNumber} went together, although only the first was asked for:`,
  );
  say(teller, `    ${await drivers(teller, card)}`);
  const run = teller.stage.kubelet.runs().find((one) => one.pod === 'train-0');
  for (const [name, value] of Object.entries(run?.grant.envs ?? {}).slice(0, 2)) {
    say(teller, `    ${paint('dim', `${name}=${value}`)}`);
  }
  return uid;
}

async function sibling(teller: Teller): Promise<void> {
  chapter(teller, 3, 'A second pod asks for a sibling function, and does not get it');
  const uid = pod(teller, 'music-0', resources.sound);
  await podIs(teller, uid, 'music-0 pending', 'Pending');
  say(teller, `  ${teller.stage.kubelet.pod(uid)?.message ?? 'Pending'}`);
  const view = await group(teller, cast.gpu, 'assigned', (v) => v.passed.length > 0);
  say(teller, `  Why: ${view.passed[0]?.message ?? ''}. One group, one tenant, under one name.`);
  teller.stage.kubelet.deletePod(uid, { graceMs: 0 });
}

async function mounted(teller: Teller): Promise<void> {
  chapter(teller, 4, 'The host begins to use a disk, and the offer is withdrawn');
  await group(teller, cast.disk, 'offered', (view) => view.healthy);
  const namespace = await teller.stage.diskOf(cast.disk);
  say(teller, `  host: mount /dev/${namespace} /srv`);
  await teller.stage.control.perform('mount', {
    source: namespace,
    target: '/srv',
    fsType: 'ext4',
  });
  const startedMs = teller.stage.clock.monotonicMs();
  const blocked = await group(teller, cast.disk, 'withdrawn', (view) => !view.healthy);
  const tookMs = Math.round(teller.stage.clock.monotonicMs() - startedMs);
  say(teller, `  Withdrawn after ${tookMs} ms: ${blocked.why ?? ''}`);
  say(teller, `  host: umount /srv`);
  await teller.stage.control.perform('unmount', { target: '/srv' });
  await group(teller, cast.disk, 'offered again', (view) => view.healthy);
  say(teller, '  Offered again.');
}

async function hung(teller: Teller): Promise<string> {
  const { stage, streams } = teller;
  chapter(teller, 5, 'An unbind hangs in the kernel, and only its own group waits');
  const fault = { kind: 'unbind-hang', address: cast.nic, times: 1 } as const;
  await stage.control.perform('injectFault', { fault });
  const first = pod(teller, 'router-0', resources.nics);
  const held = await until(stage.clock, 'a hanging step', async () => {
    const views = await stage.groups();
    return views?.find((view) => view.pending.length > 0) ?? null;
  });
  say(
    teller,
    `  router-0 waits: "${held.pending[0] ?? ''}" has not come back. It costs one abandoned child process:`,
  );
  const startedMs = stage.clock.monotonicMs();
  const second = pod(teller, 'router-1', resources.nics);
  await podIs(teller, second, 'router-1 running', 'Running');
  const tookMs = Math.round(stage.clock.monotonicMs() - startedMs);
  say(
    teller,
    `  ${streams.paint('good', 'router-1 runs')} on another group after ${tookMs} ms, while the first still hangs.`,
  );
  say(teller, '  hardware: the hung driver lets go');
  await stage.control.perform('clearFaults', {});
  await podIs(teller, first, 'router-0 running', 'Running');
  say(teller, `  ${streams.paint('good', 'router-0 runs')} too; the late answer was not lost.`);
  return first;
}

async function killed(teller: Teller): Promise<void> {
  const { stage, streams } = teller;
  chapter(teller, 6, 'The agent is killed with -9 in the middle of a claim, and recovers');
  await stage.control.perform('injectFault', {
    fault: { kind: 'unbind-hang', address: cast.disk, times: 1 },
  });
  const uid = pod(teller, 'store-0', resources.disks);
  await group(
    teller,
    cast.disk,
    'being claimed',
    (view) => view.phase === 'Claiming' && view.pending.length > 0,
  );
  await stage.killAgent();
  say(
    teller,
    `  ${streams.paint('bad', 'kill -9')}. The kernel is left with half a claim: ${await drivers(teller, [cast.disk])}, an override set.`,
  );
  await stage.control.perform('clearFaults', {});
  await stage.startAgent();
  say(teller, '  A new agent starts, reads the record of what to restore, looks, and goes on:');
  await podIs(teller, uid, 'store-0 running', 'Running');
  await group(teller, cast.disk, 'in use', (view) => view.owner === 'Userspace');
  say(
    teller,
    `  ${streams.paint('good', 'store-0 runs')}; train-0 and the routers have not noticed.`,
  );
  await show(teller);
}

async function returned(teller: Teller): Promise<void> {
  const { stage, streams } = teller;
  chapter(teller, 7, 'The pods go, and every group goes back with its own drivers');
  for (const { uid } of stage.kubelet.pods()) stage.kubelet.deletePod(uid, { graceMs: 0 });
  say(teller, '  kubectl: all pods deleted');
  await until(
    stage.clock,
    'everything returned',
    async () =>
      (await stage.groups())?.every((view) => view.phase === 'WithHost' && view.lease === null) ===
      true
        ? true
        : null,
    40_000,
  );
  await show(teller);
  say(teller, `    ${await drivers(teller, card)}`);
  say(
    teller,
    `  ${streams.paint('good', 'Everything is as it was')}: drivers, overrides, and the offers.`,
  );
}

/** Tells the whole story, in about a minute. Throws when something does not happen. */
export async function tellStory(teller: Teller): Promise<void> {
  await machine(teller);
  await wholeGroup(teller);
  await sibling(teller);
  await mounted(teller);
  await hung(teller);
  await killed(teller);
  await returned(teller);
}
