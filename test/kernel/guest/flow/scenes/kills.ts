// kill -9 of the agent at one write of a claim, and at one write of the return: the agent that comes after finds its
// way from the record and from what it sees, and the group ends as if nothing had happened.
import { flowGroups } from '../groups.ts';
import type { FlowMachine } from '../machine.ts';
import type { KnifeOrder } from '../knife.ts';
import type { Figures, Scene } from '../scene.ts';
import { bindingsText } from '../sysfs.ts';

/** Writes of a claim of two functions, and of its return: two overrides, two unbinds, two probes or binds. */
const writesOfAClaim = 6;

async function killedAt(
  machine: FlowMachine,
  what: KnifeOrder['what'],
  write: number,
): Promise<Figures> {
  const { agent } = machine;
  const group = flowGroups.twoFunctions;
  const before = bindingsText(group.leader);
  if (!agent.isAlive) await agent.start('under the knife');
  agent.order(what, write);
  const uid = machine.createPod(group);
  await agent.diedOfKnife();
  agent.sheathe();
  await agent.start('under the knife');
  await machine.running(uid);
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
export const killScenes: readonly Scene[] = Array.from({ length: writesOfAClaim }, (_, index) =>
  moments.map((what) => ({
    name: `kill -9 ${what.slice('kill '.length)} write ${index + 1} of a claim and of its return`,
    run: (machine: FlowMachine) => killedAt(machine, what, index + 1),
  })),
).flat();
