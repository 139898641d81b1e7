// A reboot of the node with records on disk: one boot leaves a running pod and a return that was cut off, the next
// boot, in which groups have other numbers, finds them.
import { flowGroups } from '../groups.ts';
import type { FlowMachine } from '../machine.ts';
import type { Figures, Scene } from '../scene.ts';
import { bindingsText, driverOf, groupOf } from '../sysfs.ts';
import { check, until } from '../waiting.ts';

/** A return of one function: its reset, its unbind, then this. */
const afterUnbind = 3;
const survivor = flowGroups.twoFunctions;
const cutOff = flowGroups.nic;

async function before(machine: FlowMachine): Promise<Figures> {
  const { agent } = machine;
  await agent.start('under the knife');
  const uid = machine.createPod(survivor);
  await machine.running(uid);
  const other = machine.createPod(cutOff);
  await machine.running(other);
  agent.order('kill before', afterUnbind);
  await machine.deletePod(other);
  await agent.diedOfKnife();
  agent.sheathe();
  check(driverOf(cutOff.leader) === null, 'the return was not cut off in its middle');
  process.stdout.write(`@@KEEP ${JSON.stringify(machine.kept())}\n`);
  return { group: groupOf(survivor.leader) };
}

async function after(machine: FlowMachine): Promise<Figures> {
  const { agent } = machine;
  const group = groupOf(survivor.leader);
  const asBooted = bindingsText(survivor.leader);
  const asBootedOther = bindingsText(cutOff.leader);
  const kept = machine.kept();
  const records = Object.keys(kept.records).length;
  check(records === 2, `${records} records came over the reboot`);
  const recorded = JSON.stringify(kept.records);
  check(!recorded.includes(`"groupNumber":${group},`), 'the group has the number it had');
  // The API server has the pod still: the first that was created has the first UID.
  const uid = machine.createPod(survivor);
  await agent.start('shipped');
  await until('the record of the return is forgotten', async () => {
    const view = await agent.view(cutOff.leader);
    return view?.phase === 'WithHost';
  });
  check(bindingsText(cutOff.leader) === asBootedOther, 'a device of the host was touched');
  await machine.running(uid);
  machine.checkTaken(survivor);
  await machine.deletePod(uid);
  await machine.returned(survivor, asBooted);
  return { group };
}

/** The first boot. */
export const beforeReboot: Scene = {
  name: 'a node is left with a pod and a cut-off return',
  run: before,
};

/** The second. */
export const afterReboot: Scene = {
  name: 'after a reboot with other group numbers the pod goes on and nothing else is touched',
  run: after,
};
