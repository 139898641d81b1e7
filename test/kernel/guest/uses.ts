// Runs in a guest: begins every use of useCases, looks at the machine as `wholegroup inspect` does, ends the use, looks
// again, and claims what is released then. Prints one line of JSON for each.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '../../../src/base/log.ts';
import { lookAtMachine } from '../../../src/cli/look-at-machine.ts';
import { machineReport } from '../../../src/cli/render/report.ts';
import { LinuxKernel } from '../../../src/kernel/linux/linux-kernel.ts';
import { realClock } from '../../../src/observe/real-clock.ts';
import type { Blocker } from '../../../src/ownership/blockers.ts';
import { claimProblem } from './claim.ts';
import { type UseCase, useCases } from './use-cases.ts';

/** What came of one case. */
export interface UseResult {
  readonly name: string;
  readonly before: readonly Blocker[];
  readonly during: readonly Blocker[];
  readonly after: readonly Blocker[];
  /** What the shell said that could not begin the use; null when it could. */
  readonly cannotStart: string | null;
  /** Why the group could not be claimed after the use; null when it could. Always null where it is never released. */
  readonly cannotClaim: string | null;
}

const looksUntilSettled = 4;
const settleMs = 300;
const clock = realClock();
const kernel = new LinuxKernel({
  clock,
  log: silentLog,
  laneEntry: '/opt/wholegroup/lane-child.js',
  roots: {},
});

const firstOf = (folder: string): string => {
  try {
    return readdirSync(folder)[0] ?? '';
  } catch {
    return '';
  }
};

/** The name of the first block device below a function: of NVMe and of virtio it is in different places. */
function blockDevice(address: string): string {
  const name = spawnSync('sh', [
    '-c',
    `ls -d /sys/bus/pci/devices/${address}/nvme/*/nvme*n1 /sys/bus/pci/devices/${address}/virtio*/block/* 2>/dev/null | head -1`,
  ]);
  const path = name.stdout.toString().trim();
  return path === '' ? '' : `/dev/${path.slice(path.lastIndexOf('/') + 1)}`;
}

/** What a look found that met a device on its way: it settles by itself. */
async function settledBlockersOf(address: string): Promise<readonly Blocker[]> {
  for (let more = looksUntilSettled; more > 0; more--) {
    const blockers = await blockersOf(address);
    if (!blockers.some(({ kind }) => kind.startsWith('Unknown'))) return blockers;
    await sleep(settleMs);
  }
  return blockersOf(address);
}

async function blockersOf(address: string): Promise<readonly Blocker[]> {
  const { node, inventory, looks } = await lookAtMachine(kernel, { clock, log: silentLog });
  const report = machineReport(node, inventory, looks);
  const group = report.groups.find(({ members }) =>
    members.some((member) => 'address' in member && member.address === address),
  );
  return group?.blockers ?? [];
}

function shell(text: string, { address }: UseCase): string | null {
  const env = {
    ...process.env,
    dev: blockDevice(address),
    net: firstOf(`/sys/bus/pci/devices/${address}/net`),
  };
  const ran = spawnSync('sh', ['-c', text], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 60_000,
  });
  return ran.status === 0 ? null : `status ${ran.status}: ${ran.stderr.toString()}`;
}

function tellMonitor(command: string | undefined): void {
  if (command !== undefined) process.stdout.write(`@@HOST ${command}\n`);
}

async function tryCase(use: UseCase): Promise<UseResult> {
  const before = await settledBlockersOf(use.address);
  tellMonitor(use.plug);
  const cannotStart = shell(use.start, use);
  const during = await settledBlockersOf(use.address);
  tellMonitor(use.unplug);
  shell(use.end, use);
  const after = await settledBlockersOf(use.address);
  const cannotClaim = after.length > 0 ? null : await claimProblem(kernel, clock, use.address);
  return { name: use.name, before, during, after, cannotStart, cannotClaim };
}

// All of them, or those with one of the arguments in their name.
const parts = process.argv.slice(2);
const chosen = useCases.filter(
  ({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)),
);
for (const use of chosen) {
  const line = `@@CASE ${JSON.stringify(await tryCase(use))}\n`;
  // Twice: the kernel writes its messages to the same serial line, also into the middle of ours.
  for (const copy of [line, line]) {
    const written = Promise.withResolvers<void>();
    // A serial line is slow: the end of the process would cut it off.
    process.stdout.write(copy, () => written.resolve());
    await written.promise;
  }
}
kernel.close();
process.exit(0);
