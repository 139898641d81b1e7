// Sound cards: a stream that plays or records, or a program that has the card open.
import type { HostUse } from '../../ownership/use.ts';
import { isAbsent } from '../reading.ts';
import { type LinkedDevice, type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { openedUses } from './opened.ts';

/** SoundInUse. */
export async function soundUses(context: UseContext): Promise<readonly HostUse[]> {
  const { devices } = await context.linked('/sys/class/sound');
  // What of the class cannot be read is told with the openers.
  const found = [
    ...(await openedUses(context, { class: 'sound', nodes: '/dev/snd', kind: 'SoundInUse' })),
  ];
  for (const card of devices) {
    if (!/^card\d+$/.test(card.name) || card.targets.length === 0) continue;
    found.push(...(await streamUses(context, card)));
  }
  return found;
}

async function streamUses(context: UseContext, card: LinkedDevice): Promise<readonly HostUse[]> {
  const folder = `/proc/asound/${card.name}`;
  const names = await context.names(folder);
  // Absent: a kernel without ALSA's /proc; the openers then tell alone.
  if (!names.known) return isAbsent(names) ? [] : unknownUses(card.targets, card.name, [names]);
  const found: HostUse[] = [];
  for (const stream of names.value.filter((name) => /^pcm\d+[pc]$/.test(name))) {
    const parts = await context.names(`${folder}/${stream}`);
    if (!parts.known) {
      if (!isAbsent(parts))
        found.push(...unknownUses(card.targets, `${card.name} ${stream}`, [parts]));
      continue;
    }
    for (const part of parts.value.filter((name) => /^sub\d+$/.test(name))) {
      const path = `${folder}/${stream}/${part}/status`;
      const status = await context.text(path);
      if (!status.known) {
        if (!isAbsent(status))
          found.push(...unknownUses(card.targets, `${card.name} ${stream}`, [status]));
      } else if (status.value.trim() !== 'closed') {
        found.push(
          ...usesOf('SoundInUse', card.targets, `${card.name} ${stream}`, {
            path,
            says: status.value,
          }),
        );
      }
    }
  }
  return found;
}
