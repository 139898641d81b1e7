// Programs that compute on a GPU or accelerator without drawing: NVIDIA's own device files, AMD's kfd, and the
// accelerator class. Files that stand for all devices of a driver count for all of them.
import type { Unknown } from '../../base/known.ts';
import type { HostUse } from '../../ownership/use.ts';
import type { PciFunction } from '../../pci/function.ts';
import { isAbsent } from '../reading.ts';
import { type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { describeOpeners } from '../survey/processes.ts';
import type { Opener } from '../survey/tables.ts';
import { openedUses } from './opened.ts';

/** GpuComputeClient. */
export async function computeUses(context: UseContext): Promise<readonly HostUse[]> {
  const [{ openers }, minors, accelerated] = await Promise.all([
    context.processes(),
    nvidiaMinors(context),
    openedUses(context, { class: 'accel', nodes: '/dev/accel', kind: 'GpuComputeClient' }),
  ]);
  const found: HostUse[] = [];
  const nvidia = boundTo(context, 'nvidia');
  found.push(...unknownUses(nvidia, 'GPUs of the nvidia driver', minors.problems));
  for (const [file, who] of openers) {
    const minor = /^\/dev\/nvidia(\d+)$/.exec(file)?.[1];
    const one = minor === undefined ? undefined : minors.byMinor.get(Number(minor));
    if (minor !== undefined) {
      found.push(...(await opened(context, one === undefined ? nvidia : [one], file, who)));
    } else if (/^\/dev\/nvidia(?:ctl|-modeset|-uvm.*|-caps\/.*)$/.test(file)) {
      found.push(...(await opened(context, nvidia, file, who)));
    } else if (file === '/dev/kfd') {
      found.push(...(await opened(context, boundTo(context, 'amdgpu'), file, who)));
    }
  }
  return [...found, ...accelerated];
}

function boundTo(context: UseContext, driver: string): readonly PciFunction[] {
  return context.targets.filter((fn) => fn.driver.known && fn.driver.value === driver);
}

async function opened(
  context: UseContext,
  targets: readonly PciFunction[],
  file: string,
  who: readonly Opener[],
): Promise<readonly HostUse[]> {
  const [first] = who;
  if (targets.length === 0 || first === undefined) return [];
  const subject = `${file} open by ${await describeOpeners(context, who)}`;
  const evidence = { path: `/proc/${first.pid}/fd/${first.fd}`, says: file };
  return usesOf('GpuComputeClient', targets, subject, evidence);
}

/** Which function /dev/nvidiaN is. */
async function nvidiaMinors(context: UseContext): Promise<{
  readonly byMinor: ReadonlyMap<number, PciFunction>;
  readonly problems: readonly Unknown[];
}> {
  const folder = '/proc/driver/nvidia/gpus';
  const byMinor = new Map<number, PciFunction>();
  const names = await context.names(folder);
  if (!names.known) return { byMinor, problems: isAbsent(names) ? [] : [names] };
  const problems: Unknown[] = [];
  for (const address of names.value) {
    const fn = context.target(address.toLowerCase());
    if (fn === undefined) continue;
    const text = await context.text(`${folder}/${address}/information`);
    const minor = text.known ? /^Device Minor:\s*(\d+)$/m.exec(text.value)?.[1] : undefined;
    if (minor !== undefined) byMinor.set(Number(minor), fn);
    else if (!text.known && !isAbsent(text)) problems.push(text);
  }
  return { byMinor, problems };
}
