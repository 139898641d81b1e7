// kill -9 of the agent at one write of a claim, and at one write of the return: the agent that comes after finds its
// way from the record and from what it sees, and the group ends as if nothing had happened.
import { flowGroups } from '../groups.ts';
import type { FlowMachine } from '../machine.ts';
import type { KnifeOrder } from '../knife.ts';
import type { Figures, Scene } from '../scene.ts';
import { bindingsText } from '../sysfs.ts';
import { until } from '../waiting.ts';

const group = flowGroups.twoFunctions;

/** Writes for two functions: overrides, unbinds and probes; on the way back resets, unbinds, overrides and binds. */
const writesOf = { claim: 6, return: 8 } as const;

/**
 * The pod of a claim that was cut off. When the agent died before its answer had reached the kubelet, the pod was refused
 * for good: then the group goes back to the host, and another pod gets it.
 */
async function runningOrAnew(machine: FlowMachine, uid: string, before: string): Promise<string> {
  const phase = await until('the pod runs or has failed', () => {
    const now = machine.kubelet.pod(uid)?.phase;
    return now === 'Running' || now === 'Failed' ? now : null;
  });
  if (phase === 'Running') return uid;
  await machine.deletePod(uid);
  await machine.returned(group, before);
  const another = machine.createPod(group);
  await machine.running(another);
  return another;
}

async function killedAt(
  machine: FlowMachine,
  what: KnifeOrder['what'],
  write: number,
): Promise<Figures> {
  const { agent } = machine;
  const before = bindingsText(group.leader);
  if (!agent.isAlive) await agent.start('under the knife');
  const cutsClaim = write <= writesOf.claim;
  if (cutsClaim) agent.order(what, write);
  const first = machine.createPod(group);
  if (cutsClaim) {
    await agent.diedOfKnife();
    agent.sheathe();
    await agent.start('under the knife');
  }
  const uid = await runningOrAnew(machine, first, before);
  machine.checkTaken(group);
  agent.order(what, write);
  await machine.deletePod(uid);
  await agent.diedOfKnife();
  agent.sheathe();
  // The last one is under the knife as well: it lives on into the next scene.
  await agent.start('under the knife');
  await machine.returned(group, before);
  return {};
}

const moments = ['kill before', 'kill during'] as const;

/** One scene for each write and each moment. */
export const killScenes: readonly Scene[] = Array.from({ length: writesOf.return }, (_, index) =>
  moments.map((what) => ({
    name: `kill -9 ${what.slice('kill '.length)} write ${index + 1} of a claim and of its return`,
    run: (machine: FlowMachine) => killedAt(machine, what, index + 1),
  })),
).flat();
