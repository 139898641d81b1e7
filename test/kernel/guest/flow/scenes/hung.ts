// An unbind that hangs in the kernel because somebody came in at the last moment: the agent stays awake, goes on with
// other groups, survives the end of the child that hangs, ends at once when it is told to, and gives back later.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { calibrationMs, nativeFile } from '../calibration.ts';
import { flowGroups } from '../groups.ts';
import type { FlowMachine } from '../machine.ts';
import type { Figures, Scene } from '../scene.ts';
import { bindingsText, endpointsOf, groupOf } from '../sysfs.ts';
import { VfioProgram } from '../vfio-program.ts';
import { check, until } from '../waiting.ts';

/** R8, on a machine. */
const delayMs = 50;
/** A guest that had no processor while it was measured would be allowed anything. */
const slowestScale = 10;
/** A return of two functions begins with two resets. */
const firstUnbind = 3;
const idleMs = 20_000;
const hungMs = 60_000;

interface Delays extends Figures {
  readonly otherPodRunsMs: number;
  readonly claimingP99Ms: number;
  readonly hungP99Ms: number;
  readonly hungMaxMs: number;
}

/** The child of the agent that is blocked in VFIO; null when none is. */
function stuckChild(agent: number): number | null {
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const [, parent] = /\) \S (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
      if (Number(parent) !== agent) continue;
      if (readFileSync(`/proc/${name}/stack`, 'utf8').includes('vfio_')) return Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  return null;
}

/** Begins a return whose first unbind hangs; the program that it waits for. */
async function hangReturn(machine: FlowMachine, uid: string): Promise<VfioProgram> {
  const { agent } = machine;
  const group = flowGroups.twoFunctions;
  agent.order('hold before', firstUnbind);
  await machine.deletePod(uid);
  const write = await agent.held();
  check(write.includes('/unbind'), `write ${firstUnbind} of a return is ${write}`);
  const intruder = await VfioProgram.start(groupOf(group.leader), endpointsOf(group.leader));
  agent.sheathe();
  await until('the unbind hangs', async () => {
    const view = await agent.view(group.leader);
    return (view?.pending.length ?? 0) > 0;
  });
  return intruder;
}

/** Other groups are claimed and returned; the delays of the event loop meanwhile. */
async function othersGoOn(machine: FlowMachine): Promise<Delays> {
  const { agent } = machine;
  await agent.loopDelay();
  const untilMs = performance.now() + hungMs;
  const startedMs = performance.now();
  const { nic } = flowGroups;
  const before = bindingsText(nic.leader);
  const uid = machine.createPod(nic);
  await machine.running(uid);
  const otherPodRunsMs = Math.round(performance.now() - startedMs);
  await machine.deletePod(uid);
  await machine.returned(nic, before);
  const busy = await agent.loopDelay();
  await sleep(Math.max(idleMs, untilMs - performance.now()));
  const hung = await agent.loopDelay();
  return {
    otherPodRunsMs,
    claimingP99Ms: busy.p99Ms,
    hungP99Ms: hung.p99Ms,
    hungMaxMs: hung.maxMs,
  };
}

async function hungUnbind(machine: FlowMachine): Promise<Figures> {
  const { agent } = machine;
  const group = flowGroups.twoFunctions;
  const before = bindingsText(group.leader);
  await agent.start('under the knife');
  const uid = machine.createPod(group);
  await machine.running(uid);
  await agent.loopDelay();
  await sleep(idleMs);
  const idle = await agent.loopDelay();
  const intruder = await hangReturn(machine, uid);
  const others = await othersGoOn(machine);
  const child = await until('a child is blocked in VFIO', () => stuckChild(agent.pid));
  process.kill(child, 'SIGTERM');
  await sleep(2000);
  check(agent.isAlive, 'the agent ended with its child');
  check((await agent.view(group.leader)) !== null, 'the agent does not answer any more');
  check(intruder.isAlive, 'the program that holds the devices ended');
  const toldMs = performance.now();
  await agent.end('SIGTERM');
  const endedInMs = Math.round(performance.now() - toldMs);
  await agent.start('shipped');
  await sleep(3000);
  check(intruder.isAlive, 'the program that holds the devices ended');
  await intruder.kill();
  await machine.returned(group, before);
  const measured = calibrationMs() / Number(readFileSync(nativeFile, 'utf8'));
  const slowness = Math.min(measured, slowestScale);
  const most = delayMs * slowness;
  check(others.hungP99Ms <= most, `event loop late by ${others.hungP99Ms} ms, at most ${most}`);
  check(endedInMs <= 1000 * slowness, `it took ${endedInMs} ms to end`);
  return { ...others, slowness, idleP99Ms: idle.p99Ms, idleMaxMs: idle.maxMs, endedInMs };
}

/** The one scene. */
export const hungScenes: readonly Scene[] = [
  { name: 'an unbind that hangs holds up nothing but its group', run: hungUnbind },
];
