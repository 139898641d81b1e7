// Serial ports of a function: the system console on one, and programs that have one open.
import type { HostUse } from '../../ownership/use.ts';
import { isAbsent } from '../reading.ts';
import { type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { openedUses } from './opened.ts';

/** SystemConsole, SerialPortOpen. */
export async function consoleUses(context: UseContext): Promise<readonly HostUse[]> {
  const found: HostUse[] = [];
  const { devices } = await context.linked('/sys/class/tty');
  const ports = new Map(devices.map((device) => [device.name, device.targets]));
  const owners = [...new Set(devices.flatMap((device) => device.targets))];
  if (owners.length > 0) {
    // Both files: /proc/consoles has every console, console/active those that the kernel writes to now.
    const lists = [
      { path: '/proc/consoles', nameOf: (line: string) => /^(\S+)\s/.exec(line)?.[1] },
      { path: '/sys/class/tty/console/active', nameOf: (word: string) => word },
    ];
    for (const { path, nameOf } of lists) {
      const text = await context.text(path);
      if (!text.known) {
        if (!isAbsent(text)) found.push(...unknownUses(owners, 'the system console', [text]));
        continue;
      }
      const parts = path.endsWith('active')
        ? text.value.trim().split(/\s+/)
        : text.value.split('\n');
      for (const part of parts) {
        const targets = ports.get(nameOf(part) ?? '') ?? [];
        found.push(...usesOf('SystemConsole', targets, nameOf(part) ?? '', { path, says: part }));
      }
    }
  }
  return [
    ...found,
    ...(await openedUses(context, { class: 'tty', nodes: '/dev', kind: 'SerialPortOpen' })),
  ];
}
