// Services of the platform that a function gives to the whole machine: TPM, IPMI, watchdog, and the bridges and buses
// that other hardware hangs on.
import type { HostUse, HostUseKind } from '../../ownership/use.ts';
import { findingsOf } from '../concurrently.ts';
import { devicesFolder } from '../function-reader.ts';
import { isAbsent } from '../reading.ts';
import {
  type LinkedDevice,
  thereUses,
  type UseContext,
  unknownUses,
  usesOf,
} from '../survey/context.ts';
import { describeOpeners } from '../survey/processes.ts';

/** Classes whose devices serve the kernel itself: that one is there is a use. */
const serving: readonly (readonly [folder: string, kind: HostUseKind])[] = [
  ['tpm', 'TpmInUse'],
  ['ipmi', 'IpmiInUse'],
];

/** Class codes of host bridge, ISA bridge and SMBus: hardware that the platform stands on. PCI bridges are no targets. */
const systemClasses: Readonly<Record<string, string>> = {
  '0600': 'host bridge',
  '0601': 'ISA bridge',
  '0604': 'PCI bridge',
  '0c05': 'SMBus controller',
};

/** TpmInUse, IpmiInUse, WatchdogActive, SystemBus. */
export async function platformUses(context: UseContext): Promise<readonly HostUse[]> {
  const begun = context.linked('/sys/class/watchdog');
  const found = await findingsOf(serving, async ([name, kind]) => {
    const { devices, problems } = await context.linked(`/sys/class/${name}`);
    return [
      ...unknownUses(context.targets, `devices of class ${name}`, problems),
      ...devices.flatMap((device) => thereUses(kind, device)),
    ];
  });
  const watchdogs = await begun;
  found.push(...unknownUses(context.targets, 'watchdogs', watchdogs.problems));
  for (const device of watchdogs.devices) {
    if (device.targets.length > 0) found.push(...(await watchdogUses(context, device)));
  }
  for (const fn of context.targets) {
    if (!fn.classCode.known) continue;
    const what = systemClasses[fn.classCode.value.slice(0, 4)];
    if (what === undefined) continue;
    const path = `${devicesFolder}/${fn.address}/class`;
    found.push(...usesOf('SystemBus', [fn], what, { path, says: `0x${fn.classCode.value}` }));
  }
  return found;
}

/** `state` is there only with CONFIG_WATCHDOG_SYSFS; without it an opener is what there is to see. */
async function watchdogUses(
  context: UseContext,
  device: LinkedDevice,
): Promise<readonly HostUse[]> {
  const path = `${device.path}/state`;
  const state = await context.text(path);
  if (state.known) {
    if (state.value.trim() === 'inactive') return [];
    return usesOf('WatchdogActive', device.targets, device.name, { path, says: state.value });
  }
  if (!isAbsent(state)) return unknownUses(device.targets, device.name, [state]);
  const { openers } = await context.processes();
  const nodes = [`/dev/${device.name}`, ...(device.name === 'watchdog0' ? ['/dev/watchdog'] : [])];
  const who = nodes.flatMap((node) => openers.get(node) ?? []);
  const [first] = who;
  // Once started it may go on without an opener, so nothing to see proves nothing.
  if (first === undefined) return unknownUses(device.targets, device.name, [state]);
  const evidence = { path: `/proc/${first.pid}/fd/${first.fd}`, says: `/dev/${device.name}` };
  return usesOf(
    'WatchdogActive',
    device.targets,
    `${device.name} open by ${await describeOpeners(context, who)}`,
    evidence,
  );
}
