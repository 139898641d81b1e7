// Runs in a guest: what the agent costs on a real kernel, beside the least that the same work costs there. Prints one
// line of JSON for each measure.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measure } from '../../../bench/measure.ts';
import { median, timed } from '../../../bench/measure.ts';
import { silentLog } from '../../../src/base/log.ts';
import { createHost } from '../../../src/host/create-host.ts';
import { LinuxKernel } from '../../../src/kernel/linux/linux-kernel.ts';
import { realClock } from '../../../src/observe/real-clock.ts';
import { flowGroups } from './flow/groups.ts';
import { FlowMachine } from './flow/machine.ts';
import { bindingOf, bindingsText, endpointsOf } from './flow/sysfs.ts';
import { check, until } from './flow/waiting.ts';

const rounds = 9;
const settleMs = 20_000;
const noticedMs = 1500;
const group = flowGroups.twoFunctions;

function shell(text: string): void {
  const ran = spawnSync('sh', ['-c', text], { encoding: 'utf8' });
  check(ran.status === 0, `${text}: ${ran.stderr}`);
}

/** The writes of a claim and of its return, as a person would make them. */
function sameWrites(): string {
  const members = endpointsOf(group.leader);
  const native = bindingOf(group.leader).driver ?? '';
  const each = (line: (address: string) => string): string => members.map(line).join('\n');
  return [
    'set -e; cd /sys/bus/pci',
    each((address) => `echo vfio-pci >devices/${address}/driver_override`),
    each((address) => `echo ${address} >drivers/${native}/unbind`),
    each((address) => `echo ${address} >drivers_probe`),
    each((address) => `echo 1 >devices/${address}/reset`),
    each((address) => `echo ${address} >drivers/vfio-pci/unbind`),
    each((address) => `echo >devices/${address}/driver_override`),
    each((address) => `echo ${address} >drivers/${native}/bind`),
  ].join('\n');
}

/** Seconds that claims and returns took since the agent was started. */
async function flowSeconds(machine: FlowMachine): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${machine.agent.places.port}/metrics`);
  const text = await answer.text();
  return ['claim', 'return'].reduce((sum, flow) => {
    const line = new RegExp(`^wholegroup_${flow}_seconds_sum (\\S+)$`, 'm').exec(text);
    check(line !== null, `no duration of ${flow} in the metrics:\n${text}`);
    return sum + Number(line[1]);
  }, 0);
}

async function claims(machine: FlowMachine): Promise<Measure> {
  const samples: number[] = [];
  const floors: number[] = [];
  const before = bindingsText(group.leader);
  for (let round = 0; round < rounds; round++) {
    const startedSeconds = await flowSeconds(machine);
    const uid = machine.createPod(group);
    await machine.running(uid);
    await machine.deletePod(uid);
    await machine.returned(group, before);
    samples.push(((await flowSeconds(machine)) - startedSeconds) * 1000);
    floors.push(await timed(() => shell(sameWrites())));
    // The agent saw drivers come and go: a pod that came now would be refused.
    await sleep(noticedMs);
    await until('the group is offered', async () => {
      const view = await machine.agent.view(group.leader);
      return view?.healthy === true;
    });
    await sleep(noticedMs);
  }
  return {
    ...{ name: 'claim and return of a group of two', value: median(samples), unit: 'ms' },
    floor: { what: 'the same writes by a shell', value: median(floors) },
    target: { of: 'ratio', max: 1.2 },
    how: `median of ${rounds} consecutive claims, from the agent's own metrics`,
  };
}

const attributes = ['vendor', 'device', 'class', 'numa_node', 'driver_override', 'config'];
const links = ['driver', 'iommu_group'];

async function inventories(): Promise<Measure> {
  const clock = realClock();
  const laneEntry = '/opt/wholegroup/lane-child.js';
  const kernel = new LinuxKernel({ clock, log: silentLog, laneEntry, udevadm: null });
  const host = createHost({ kernel, clock, log: silentLog });
  const files = (names: readonly string[]): string =>
    names.map((name) => `/sys/bus/pci/devices/*/${name}`).join(' ');
  const bare = `find /sys/kernel/iommu_groups >/dev/null; readlink ${files(links)} >/dev/null; cat ${files(attributes)} >/dev/null; true`;
  const samples: number[] = [];
  const floors: number[] = [];
  for (let round = 0; round < rounds; round++) {
    samples.push(await timed(() => host.inventory()));
    floors.push(await timed(() => shell(bare)));
  }
  kernel.close();
  return {
    ...{ name: 'inventory of the machine', value: median(samples), unit: 'ms' },
    floor: { what: 'find, readlink and cat', value: median(floors) },
    target: null,
    how: `median of ${rounds}`,
  };
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6;
}

async function memory(machine: FlowMachine): Promise<Measure> {
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await sleep(settleMs);
  const value = residentMb(machine.agent.pid);
  const floor = residentMb(bare.pid ?? 0);
  bare.kill('SIGKILL');
  return {
    ...{ name: 'agent RSS', value, unit: 'MB' },
    floor: { what: 'bare Node', value: floor },
    target: null,
    how: `${settleMs / 1000} s after its last claim`,
  };
}

spawnSync('ip', ['link', 'set', 'lo', 'up']);
const machine = await FlowMachine.open(null);
await machine.agent.ship();
const measures = [await inventories(), await claims(machine), await memory(machine)];
for (const measure of measures) {
  const written = Promise.withResolvers<void>();
  process.stdout.write(`@@MEASURE ${JSON.stringify(measure)}\n`, () => written.resolve());
  await written.promise;
}
await machine.close();
process.exit(0);
