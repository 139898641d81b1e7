// Displays: the boot display, a framebuffer with the console on it (its own, or the firmware's inside its memory),
// and programs that draw. An attached monitor alone is no use.
import type { Unknown } from '../../base/known.ts';
import type { HostUse } from '../../ownership/use.ts';
import type { PciFunction } from '../../pci/function.ts';
import { findingsOf } from '../concurrently.ts';
import { devicesFolder } from '../function-reader.ts';
import { isAbsent } from '../reading.ts';
import { type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { openedUses } from './opened.ts';

/** BootDisplay, FramebufferConsole, DisplayClient. */
export async function displayUses(context: UseContext): Promise<readonly HostUse[]> {
  const found = await Promise.all([
    findingsOf(context.targets, (fn) => bootDisplayUses(context, fn)),
    framebufferUses(context),
    openedUses(context, { class: 'drm', nodes: '/dev/dri', kind: 'DisplayClient' }),
    openedUses(context, { class: 'graphics', nodes: '/dev', kind: 'DisplayClient' }),
    firmwareUses(context),
  ]);
  return found.flat();
}

async function bootDisplayUses(context: UseContext, fn: PciFunction): Promise<readonly HostUse[]> {
  if (!fn.entries.has('boot_vga')) return [];
  const path = `${devicesFolder}/${fn.address}/boot_vga`;
  const text = await context.text(path);
  if (!text.known) return unknownUses([fn], 'the boot display', [text]);
  if (text.value.trim() === '0') return [];
  return usesOf('BootDisplay', [fn], 'boot_vga is 1', { path, says: text.value });
}

async function framebufferUses(context: UseContext): Promise<readonly HostUse[]> {
  const { devices, problems } = await context.linked('/sys/class/graphics');
  const found = unknownUses(context.targets, 'framebuffers', problems);
  const buffers = devices.filter(
    (device) => /^fb\d+$/.test(device.name) && device.targets.length > 0,
  );
  if (buffers.length === 0) return found;
  const console = await boundConsole(context);
  for (const buffer of buffers) {
    found.push(...unknownUses(buffer.targets, `the console on ${buffer.name}`, console.problems));
    if (console.path !== null) {
      found.push(
        ...usesOf('FramebufferConsole', buffer.targets, buffer.name, {
          path: console.path,
          says: '1',
        }),
      );
    }
  }
  return found;
}

/** The console driver that draws on framebuffers, while it has consoles. */
async function boundConsole(
  context: UseContext,
): Promise<{ readonly path: string | null; readonly problems: readonly Unknown[] }> {
  const names = await context.names('/sys/class/vtconsole');
  if (!names.known) return { path: null, problems: isAbsent(names) ? [] : [names] };
  const problems: Unknown[] = [];
  for (const name of names.value) {
    const title = await context.text(`/sys/class/vtconsole/${name}/name`);
    const path = `/sys/class/vtconsole/${name}/bind`;
    const bind = await context.text(path);
    for (const fact of [title, bind]) if (!fact.known && !isAbsent(fact)) problems.push(fact);
    if (
      title.known &&
      bind.known &&
      title.value.includes('frame buffer') &&
      bind.value.trim() !== '0'
    ) {
      return { path, problems };
    }
  }
  return { path: null, problems };
}

/** Framebuffers that the firmware made and a generic driver uses: they have no device, only a range of memory. */
const firmwareBuffers =
  /^\s*([0-9a-f]+)-([0-9a-f]+) : (efifb|simplefb|vesafb|BOOTFB|simple-framebuffer.*|simpledrm.*|.*efidrm.*)$/;

async function firmwareUses(context: UseContext): Promise<readonly HostUse[]> {
  const displays = context.targets.filter(
    (fn) => fn.classCode.known && fn.classCode.value.startsWith('03'),
  );
  if (displays.length === 0) return [];
  const path = '/proc/iomem';
  const text = await context.text(path);
  if (!text.known) {
    return isAbsent(text) ? [] : unknownUses(displays, "the firmware's framebuffer", [text]);
  }
  const found: HostUse[] = [];
  for (const line of text.value.split('\n')) {
    const match = firmwareBuffers.exec(line);
    if (match === null) continue;
    const start = BigInt(`0x${match[1] ?? '0'}`);
    const end = BigInt(`0x${match[2] ?? '0'}`);
    // Without CAP_SYS_ADMIN all addresses read as zero (kernel/resource.c r_show).
    if (end === 0n) {
      found.push(
        ...unknownUses(displays, "the firmware's framebuffer", [
          { known: false, path, why: 'addresses are hidden' },
        ]),
      );
      continue;
    }
    for (const fn of displays) {
      const inside = await hasRange(context, fn, start, end);
      if (inside === true)
        found.push(...usesOf('FramebufferConsole', [fn], match[3] ?? '', { path, says: line }));
      else if (inside !== false)
        found.push(...unknownUses([fn], "the firmware's framebuffer", [inside]));
    }
  }
  return found;
}

async function hasRange(
  context: UseContext,
  fn: PciFunction,
  start: bigint,
  end: bigint,
): Promise<boolean | Unknown> {
  const text = await context.text(`${devicesFolder}/${fn.address}/resource`);
  if (!text.known) return text;
  return text.value.split('\n').some((line) => {
    const match = /^(0x[0-9a-f]+) (0x[0-9a-f]+) /.exec(line);
    if (match === null) return false;
    const [, from = '0x0', to = '0x0'] = match;
    return BigInt(to) !== 0n && BigInt(from) <= start && end <= BigInt(to);
  });
}
