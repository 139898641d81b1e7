// What happens to a node while a group is out or on its way: a driver is loaded, a companion is plugged in, the disk
// under the records is full.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { flowGroups } from '../groups.ts';
import type { FlowMachine } from '../machine.ts';
import type { Figures, Scene } from '../scene.ts';
import { bindingsText, driverOf, isPresent } from '../sysfs.ts';
import { check, until } from '../waiting.ts';

function shell(text: string): void {
  const ran = spawnSync('sh', ['-c', text], { encoding: 'utf8' });
  check(ran.status === 0, `${text}: ${ran.stderr}`);
}

const companion = '0000:06:02.0';

async function driverLoaded(
  machine: FlowMachine,
  moment: 'claiming' | 'claimed',
): Promise<Figures> {
  const { agent } = machine;
  const group = flowGroups.behindBridge;
  const loadedBefore = bindingsText(group.leader);
  shell('rmmod 8139cp');
  const before = bindingsText(group.leader);
  check(driverOf(companion) === null, 'the companion still has its driver');
  await agent.start('under the knife');
  if (moment === 'claiming') agent.order('hold before', 2);
  const uid = machine.createPod(group);
  if (moment === 'claiming') {
    await agent.held();
    shell('insmod /modules/8139cp.ko');
    agent.sheathe();
  }
  await machine.running(uid);
  machine.checkTaken(group);
  if (moment === 'claimed') shell('insmod /modules/8139cp.ko');
  await sleep(1500);
  machine.checkTaken(group);
  await machine.deletePod(uid);
  // It had no driver when it was taken, so it has none when it is back: R5.
  await machine.returned(group, before);
  shell(`echo ${companion} >/sys/bus/pci/drivers_probe`);
  check(bindingsText(group.leader) === loadedBefore, 'the companion has not got its driver again');
  return {};
}

const late = '0000:06:03.0';

async function companionPlugged(machine: FlowMachine): Promise<Figures> {
  const { agent } = machine;
  const group = flowGroups.behindBridge;
  const before = bindingsText(group.leader);
  await agent.ship();
  const uid = machine.createPod(group);
  await machine.running(uid);
  process.stdout.write('@@HOST device_add e1000,id=late,bus=pb0,addr=3.0\n');
  await until('the function is there', () => isPresent(late));
  await until('the agent says so', async () => {
    const view = await agent.view(group.leader);
    return view !== null && !view.healthy && view.why?.includes('joined') === true;
  });
  const driver = driverOf(late) ?? 'none';
  for (const address of [group.leader, companion]) {
    check(driverOf(address) === 'vfio-pci', `${address} was touched`);
  }
  check(machine.containers.programsOf(uid)[0]?.isAlive === true, 'the pod lost its program');
  process.stdout.write('@@HOST device_del late\n');
  await until('the function is gone', () => !isPresent(late));
  await machine.deletePod(uid);
  await machine.returned(group, before);
  return { driverOfCompanion: driver };
}

const smallDisk = '/run/flow/small';
const filler = `${smallDisk}/filler`;

function fill(): void {
  spawnSync('sh', ['-c', `dd if=/dev/zero of=${filler} bs=512 2>/dev/null`]);
}

async function fullDisk(machine: FlowMachine): Promise<Figures> {
  const { agent } = machine;
  const group = flowGroups.nic;
  const before = bindingsText(group.leader);
  shell(`mkdir -p ${smallDisk} && mount -t tmpfs -o size=64k tmpfs ${smallDisk}`);
  await agent.start('shipped', `${smallDisk}/state`);
  fill();
  const refusedUid = machine.createPod(group);
  const message = await machine.refused(refusedUid);
  check(/could not be written down/.test(message), `refused with another reason: ${message}`);
  check(bindingsText(group.leader) === before, 'something was changed without a record');
  await machine.deletePod(refusedUid);
  rmSync(filler);
  const uid = machine.createPod(group);
  await machine.running(uid);
  fill();
  await machine.deletePod(uid);
  await sleep(4000);
  machine.checkTaken(group);
  rmSync(filler);
  await machine.returned(group, before);
  await agent.end('SIGTERM');
  shell(`umount ${smallDisk}`);
  return {};
}

async function usedAgain(machine: FlowMachine): Promise<Figures> {
  const { agent } = machine;
  const group = flowGroups.nic;
  const before = bindingsText(group.leader);
  const net = '/sys/bus/pci/devices/0000:03:00.0/net';
  await agent.ship();
  shell(`ip link set $(ls ${net}) up`);
  await until('it is not offered any more', async () => {
    const view = await agent.view(group.leader);
    return (
      view?.healthy === false && view.blockers.some(({ kind }) => kind === 'NetworkInterfaceUp')
    );
  });
  // The agent knew first: a pod that comes before the kubelet's list is refused, not kept waiting.
  await until(
    'the kubelet knows',
    () => machine.kubelet.quantity(group.resource).allocatable === 0,
  );
  const uid = machine.createPod(group);
  await sleep(1500);
  const waiting = machine.kubelet.pod(uid);
  check(waiting?.phase === 'Pending', `it does not wait: ${JSON.stringify(waiting)}`);
  check(bindingsText(group.leader) === before, 'a device in use was touched');
  shell(`ip link set $(ls ${net}) down`);
  await machine.running(uid);
  machine.checkTaken(group);
  await machine.deletePod(uid);
  await machine.returned(group, before);
  return {};
}

/** Kernels that crash when a group behind a bridge is let go after plug and unplug: docs/reference/kernel-suites.md. */
const crashes = { '6.1': 'Linux 6.1.192 stops in a BUG of its own (list_add corruption)' };

/** One scene each. */
export const surpriseScenes: readonly Scene[] = [
  {
    name: 'a driver that is loaded during a claim gets nothing of the group',
    run: (machine) => driverLoaded(machine, 'claiming'),
  },
  {
    name: 'a driver that is loaded while the group is out gets nothing of it',
    run: (machine) => driverLoaded(machine, 'claimed'),
  },
  {
    name: 'a companion that is plugged into a leased group is told, and nothing is touched',
    skip: crashes,
    run: companionPlugged,
  },
  { name: 'a full disk under the records: nothing is taken, nothing is given back', run: fullDisk },
  { name: 'a pod waits while the host uses the device, and gets it afterwards', run: usedAgain },
];
