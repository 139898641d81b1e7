// Engines that work for the kernel: DMA channels, data accelerators, and crypto devices whose algorithms are in use.
import type { HostUse } from '../../ownership/use.ts';
import type { PciFunction } from '../../pci/function.ts';
import { findingsOf } from '../concurrently.ts';
import { isAbsent } from '../reading.ts';
import { type LinkedDevice, type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { describeOpeners } from '../survey/processes.ts';

/** DmaEngineInUse, CryptoInUse. */
export async function engineUses(context: UseContext): Promise<readonly HostUse[]> {
  const found = await Promise.all([
    countedUses(context, '/sys/class/dma', 'DMA channels', 'in_use'),
    countedUses(context, '/sys/bus/dsa/devices', 'accelerator queues', 'clients'),
    cryptoUses(context),
    securityUses(context),
  ]);
  return found.flat();
}

async function countedUses(
  context: UseContext,
  folder: string,
  what: string,
  file: 'in_use' | 'clients',
): Promise<readonly HostUse[]> {
  const { devices, problems } = await context.linked(folder);
  const counted = devices.filter(
    ({ name, targets }) => targets.length > 0 && (file === 'in_use' || /^wq\d/.test(name)),
  );
  return [
    ...unknownUses(context.targets, what, problems),
    ...(await findingsOf(counted, (device) => countUses(context, device, file))),
  ];
}

/** A use when the count that the file holds is not zero. */
async function countUses(
  context: UseContext,
  device: LinkedDevice,
  file: string,
): Promise<readonly HostUse[]> {
  const path = `${device.path}/${file}`;
  const text = await context.text(path);
  if (!text.known) return isAbsent(text) ? [] : unknownUses(device.targets, device.name, [text]);
  if (text.value.trim() === '0') return [];
  return usesOf('DmaEngineInUse', device.targets, device.name, { path, says: text.value });
}

/** Kernel drivers of crypto devices, and the modules under which /proc/crypto lists what they registered. */
const cryptoModules: readonly { readonly driver: RegExp; readonly module: RegExp }[] = [
  {
    driver: /^(?:4xxx|420xx|6xxx|c3xxx(?:vf)?|c6xx(?:vf)?|dh895xcc(?:vf)?|qat_.*)$/,
    module: /^(?:intel_qat|qat_.*)$/,
  },
  { driver: /^ccp$/, module: /^ccp(?:_crypto)?$/ },
  { driver: /^(?:cxgb4|chcr)$/, module: /^chcr$/ },
  { driver: /^nitrox$|^n5pf$/, module: /^n5pf$/ },
  { driver: /^hisi_.*$/, module: /^hisi_.*$/ },
];

async function cryptoUses(context: UseContext): Promise<readonly HostUse[]> {
  const found: HostUse[] = [];
  for (const { driver, module } of cryptoModules) {
    const targets = context.targets.filter(
      (fn) => fn.driver.known && driver.test(fn.driver.value ?? ''),
    );
    if (targets.length === 0) continue;
    const path = '/proc/crypto';
    const text = await context.text(path);
    if (!text.known) {
      if (!isAbsent(text)) found.push(...unknownUses(targets, 'crypto algorithms', [text]));
      continue;
    }
    // Which device of a driver computes for whom is not told: an algorithm in use counts for all of them.
    for (const entry of text.value.split('\n\n')) {
      const name = /^driver\s*:\s*(\S+)$/m.exec(entry)?.[1] ?? '';
      const from = /^module\s*:\s*(\S+)$/m.exec(entry)?.[1] ?? '';
      const count = Number(/^refcnt\s*:\s*(\d+)$/m.exec(entry)?.[1] ?? 0);
      // 1 is the registration's own reference.
      if (!module.test(from) || count <= 1) continue;
      found.push(
        ...usesOf('CryptoInUse', targets, name, { path, says: `${name} refcnt ${count}` }),
      );
    }
  }
  return found;
}

/** AMD's security processor: memory encryption of guests runs on it. */
async function securityUses(context: UseContext): Promise<readonly HostUse[]> {
  const targets = context.targets.filter(
    (fn: PciFunction) => fn.driver.known && fn.driver.value === 'ccp',
  );
  if (targets.length === 0) return [];
  const found: HostUse[] = [];
  const path = '/sys/module/kvm_amd/parameters/sev';
  const sev = await context.text(path);
  if (!sev.known && !isAbsent(sev)) found.push(...unknownUses(targets, 'memory encryption', [sev]));
  if (sev.known && /^[Y1]/.test(sev.value)) {
    found.push(
      ...usesOf('CryptoInUse', targets, 'memory encryption of guests', { path, says: sev.value }),
    );
  }
  const who = (await context.processes()).openers.get('/dev/sev') ?? [];
  const [first] = who;
  if (first !== undefined) {
    const evidence = { path: `/proc/${first.pid}/fd/${first.fd}`, says: '/dev/sev' };
    found.push(
      ...usesOf(
        'CryptoInUse',
        targets,
        `/dev/sev open by ${await describeOpeners(context, who)}`,
        evidence,
      ),
    );
  }
  return found;
}
